// Which passwords are taken (NIST SP 800-63B-4 §3.1.1.2): by length and by what is guessed first, never by composition.
import { type FieldFault, Problem } from '../platform/errors.ts'
import { commonPasswords } from './common-passwords.ts'

/** How long a password may be, in code points. */
export const passwordLength = { min: 12, max: 256 }

const minForeign = 6
const rows = ['abcdefghijklmnopqrstuvwxyz', '0123456789', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertyuiopasdfghjklzxcvbnm']
const runs = rows.flatMap(row => [row.repeat(12), [...row].reverse().join('').repeat(12)])

/** What belongs to the person, and so is no secret. */
export interface Personal {
  readonly email: string
  readonly name?: string
}

/** Throws `validation_failed` at `path` for a password that is too short, too long, common, a sequence, or made of the person's own words. */
export const verifyStrength = (password: string, { path, personal }: { path: string; personal: Personal }): void => {
  const fault = faultOf(password.normalize('NFC'), personal)
  if (fault) throw new Problem('validation_failed', { fields: [{ path, ...fault }] })
}

const faultOf = (password: string, personal: Personal): Omit<FieldFault, 'path'> | undefined => {
  const length = [...password].length
  if (length < passwordLength.min) return { code: 'password_short', values: passwordLength, message: `must have at least ${passwordLength.min} characters` }
  if (length > passwordLength.max) return { code: 'password_long', values: passwordLength, message: `must have at most ${passwordLength.max} characters` }
  const folded = password.toLowerCase()
  if (commonPasswords.has(folded)) return { code: 'password_common', message: 'is one of the passwords that are guessed first' }
  if (isRepeated(folded) || runs.some(run => run.includes(folded))) return { code: 'password_sequence', message: 'is a sequence that is guessed at once' }
  if (isPersonal(folded, personal)) return { code: 'password_personal', message: 'is made of your own name or address' }
  return undefined
}

// The same up to four characters, again and again.
const isRepeated = (folded: string) =>
  [1, 2, 3, 4].some(
    size =>
      folded ===
      folded
        .slice(0, size)
        .repeat(Math.ceil(folded.length / size))
        .slice(0, folded.length),
  )

const isPersonal = (folded: string, { email, name = '' }: Personal) => {
  const words = [email, ...email.split(/[^\p{L}\p{N}]+/u), ...name.split(/[^\p{L}\p{N}]+/u)]
    .map(word => word.toLowerCase())
    .filter(word => [...word].length >= 3)
  const foreign = words.toSorted((a, b) => b.length - a.length).reduce((rest, word) => rest.replaceAll(word, ''), folded)
  return foreign !== folded && [...foreign].length < minForeign
}
