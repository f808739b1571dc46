// Which passwords are taken (NIST SP 800-63B-4 §3.1.1.2): by length and by what is guessed first, never by composition.
import { type FieldFault, Problem } from '../platform/errors.ts'
import { commonPasswords } from './common-passwords.ts'

// In code points; the fewest are a setting.
const maxLength = 256

const minForeign = 6
const rows = ['abcdefghijklmnopqrstuvwxyz', '0123456789', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertyuiopasdfghjklzxcvbnm']
const runs = rows.flatMap(row => [row.repeat(12), [...row].reverse().join('').repeat(12)])

/** What belongs to the person, and so is no secret. */
export interface Personal {
  readonly email: string
  readonly name?: string
}

/**
 * Throws `validation_failed` at `path` for a password that is too short, too long, common, a sequence, or made of the person's own
 * words or of the service's (ASVS 5.0 §6.2.11).
 */
export type VerifyStrength = (password: string, about: { path: string; personal: Personal }) => void

/** Makes it: `minLength` in code points, `host` as people see it in the address bar. */
export const createVerifyStrength = ({ minLength, host }: { minLength: number; host: string }): VerifyStrength => {
  const rules: Rules = { minLength, serviceWords: ['authy2', host, ...labelsOf(host)] }
  return (password, { path, personal }) => {
    const fault = faultOf(password.normalize('NFC'), { ...rules, personal })
    if (fault) throw new Problem('validation_failed', { fields: [{ path, ...fault }] })
  }
}

interface Rules {
  readonly minLength: number
  readonly serviceWords: readonly string[]
}

// The last label says only what kind of name it is.
const labelsOf = (host: string) => (host.includes('.') ? wordsOf(host).slice(0, -1) : [host])

const wordsOf = (text: string) => text.split(/[^\p{L}\p{N}]+/u)

const faultOf = (password: string, { minLength, serviceWords, personal }: Rules & { readonly personal: Personal }): Omit<FieldFault, 'path'> | undefined => {
  const length = [...password].length
  if (length < minLength) return { code: 'password_short', values: { min: minLength }, message: `must have at least ${minLength} characters` }
  if (length > maxLength) return { code: 'password_long', values: { max: maxLength }, message: `must have at most ${maxLength} characters` }
  const folded = password.toLowerCase()
  if (commonPasswords.has(folded)) return { code: 'password_common', message: 'is one of the passwords that are guessed first' }
  if (isRepeated(folded) || runs.some(run => run.includes(folded))) return { code: 'password_sequence', message: 'is a sequence that is guessed at once' }
  if (isMadeOf(folded, [personal.email, ...wordsOf(personal.email), ...wordsOf(personal.name ?? '')]))
    return { code: 'password_personal', message: 'is made of your own name or address' }
  if (isMadeOf(folded, serviceWords)) return { code: 'password_service', message: 'is made of the name of this service' }
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

const isMadeOf = (folded: string, parts: readonly string[]) => {
  const words = parts.map(word => word.toLowerCase()).filter(word => [...word].length >= 3)
  const foreign = words.toSorted((a, b) => b.length - a.length).reduce((rest, word) => rest.replaceAll(word, ''), folded)
  return foreign !== folded && [...foreign].length < minForeign
}
