// Checks of SECRET_KEY: whether somebody could guess it, and whether it is the one that everything was sealed under.
import type { Check } from '../check.ts'
import { listOf } from '../settings.ts'

const make = 'Make one with `openssl rand -base64 48` and keep it apart from the backups of the database.'
const placeholder = /change[-_ ]?me|secret[-_ ]?key|example|password|replace|your[-_ ]/i
const leastBits = 128

export const secretChecks: readonly Check[] = [
  {
    code: 'secret_key_missing',
    level: 'wrong',
    settings: ['SECRET_KEY'],
    why: 'Signing keys, secrets and codes are sealed under it; production does not start without one.',
    mend: make,
    look: ({ environment, settings }) => settings.isProduction && !environment.SECRET_KEY && 'SECRET_KEY is not set.',
  },
  {
    code: 'secret_key_example',
    level: 'wrong',
    settings: ['SECRET_KEY'],
    why: 'A text out of an example is known to everybody, and with it all that is sealed.',
    mend: make,
    look: ({ environment }) => placeholder.test(environment.SECRET_KEY ?? '') && 'SECRET_KEY holds the words of an example.',
  },
  {
    code: 'secret_key_weak',
    level: 'wrong',
    settings: ['SECRET_KEY'],
    why: 'Whoever has a copy of the database tries keys without limit until one opens it.',
    mend: make,
    look: ({ environment: { SECRET_KEY: key } }) => {
      if (!key || placeholder.test(key)) return undefined
      if (key.length < 32) return `SECRET_KEY has ${key.length} characters; it needs 32.`
      return guessableBits(key) < leastBits && 'SECRET_KEY repeats itself, or is made of few characters.'
    },
  },
  {
    code: 'secret_key_previous_same',
    level: 'warning',
    why: 'It opens nothing more: a key that was to be replaced is still in use, or the one before it is not named.',
    mend: 'Set SECRET_KEY to the new key and SECRET_KEY_PREVIOUS to the old one, or leave SECRET_KEY_PREVIOUS empty.',
    look: ({ environment: { SECRET_KEY: key, SECRET_KEY_PREVIOUS: previous } }) =>
      Boolean(key) && listOf(previous).some(one => one === key) && 'SECRET_KEY_PREVIOUS names SECRET_KEY itself.',
  },
  {
    code: 'secret_key_other',
    level: 'wrong',
    why: 'The server does not start: signing keys, second factors and client secrets were sealed under another key.',
    mend: 'Set the SECRET_KEY that this database was used with.',
    look: ({ database: { keys } }) => keys?.isOpened === false && 'SECRET_KEY does not open the signing keys in the database.',
  },
  {
    code: 'lasting_keys_closed',
    level: 'wrong',
    why: 'The server does not start: subjects of clients, the chains of the audit log and digests of client secrets hang on them.',
    mend: 'Name the SECRET_KEY that they were sealed under in SECRET_KEY_PREVIOUS.',
    look: ({ database: { keys, sealed } }) =>
      sealed?.areLastingOpened === false && keys?.isOpened !== false && 'SECRET_KEY does not open the lasting keys in the database.',
  },
  {
    code: 'sealed_under_older',
    level: 'warning',
    why: 'Once SECRET_KEY_PREVIOUS no longer names that key they are lost: second factors, client secrets, jobs. Until then it must be kept as safe as the new one.',
    mend: 'Run `npm run secrets:reseal`, and take the older key out of SECRET_KEY_PREVIOUS when nothing is left.',
    look: ({ database: { keys, sealed } }) =>
      (sealed?.older ?? 0) > 0 &&
      sealed?.areLastingOpened !== false &&
      keys?.isOpened !== false &&
      `${sealed?.older} values in the database are not sealed under SECRET_KEY.`,
  },
]

// Characters by how often each occurs, of the shortest part that the whole repeats: an upper bound of what there is to guess.
const guessableBits = (key: string): number => {
  const period = (key + key).indexOf(key, 1)
  const part = [...key.slice(0, period)]
  const counts = part.reduce((known, one) => known.set(one, (known.get(one) ?? 0) + 1), new Map<string, number>())
  return [...counts.values()].reduce((bits, count) => bits - count * Math.log2(count / part.length), 0)
}
