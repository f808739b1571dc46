// Looks at each row of an import for itself: what can be made of it, or what is wrong with it.
import { type FieldFault, Problem, type ProblemCode } from '../platform/errors.ts'
import { faultsOf } from '../platform/http/faults.ts'
import { normalizeEmail } from './email.ts'
import { type ImportResult, importRow } from './import.ts'

/** A row that is well-formed. */
export interface Candidate {
  readonly row: number
  readonly email: string
  readonly emailNormalized: string
  readonly isEmailVerified: boolean
  readonly name: string | null
  readonly locale: string | null
  readonly passwordHash: string | undefined
}

/** Why a hash is not taken, if so. */
export type HashFault = (hash: string) => string | undefined

const maxFaults = 5
const maxMessage = 200

/** Answers the candidate, or the result of a row that is not valid. */
export const checkRow = (given: unknown, { row, hashFault }: { row: number; hashFault: HashFault }): Candidate | ImportResult => {
  const parsed = importRow.safeParse(given)
  if (!parsed.success)
    return failed(
      { row, email: emailOf(given) },
      'validation_failed',
      faultsOf(parsed.error.issues)
        .slice(0, maxFaults)
        .map(({ path, message }) => toFault(path.join('.'), message)),
    )
  const { email, email_verified: isEmailVerified, full_name: name = null, locale = null, password_hash: passwordHash } = parsed.data
  const emailNormalized = normalizeEmail(email)
  const wrongHash = passwordHash ? hashFault(passwordHash) : undefined
  const faults = [
    ...(emailNormalized === undefined ? [toFault('email', 'This is not an email address.')] : []),
    ...(passwordHash === '' || wrongHash !== undefined ? [toFault('password_hash', wrongHash ?? 'is empty')] : []),
  ]
  if (emailNormalized === undefined || faults.length > 0) return failed({ row, email }, 'validation_failed', faults)
  return { row, email: email.trim(), emailNormalized, isEmailVerified: isEmailVerified ?? false, name, locale, passwordHash: passwordHash ?? undefined }
}

/** The result of a row of which nothing is made. */
export const failed = ({ row, email }: { row: number; email: string | null }, code: ProblemCode, fields: readonly FieldFault[] = []): ImportResult => ({
  row,
  status: 'failed',
  id: null,
  email,
  error: { type: new Problem(code).type, fields: [...fields] },
})

/** The result of a row whose address is in use, or stands in the same import already. */
export const taken = (candidate: Candidate): ImportResult => failed(candidate, 'email_taken', [toFault('email', new Problem('email_taken').message)])

const toFault = (path: string, message: string): FieldFault => ({ path, message: message.slice(0, maxMessage) })

const emailOf = (given: unknown): string | null => {
  const email = typeof given === 'object' && given !== null && 'email' in given ? given.email : undefined
  return typeof email === 'string' && email.length <= 320 ? email : null
}
