// Secrets of the tests, and the proof that no server's log has one: a server whose log has it does not close well.
import { Writable } from 'node:stream'
import { pino } from 'pino'

const planted = new Set<string>()
const shortest = 12
const tokenMembers = [
  'access_token',
  'refresh_token',
  'id_token',
  'code',
  'token',
  'key',
  'secret',
  'client_secret',
  'registration_access_token',
  'device_code',
]

/** Remembers a secret and gives it back. */
export const plant = (secret: string): string => {
  if (secret.length < shortest) throw new Error('so short a secret is found in any text')
  planted.add(secret)
  return secret
}

/** Remembers what an answer gives: tokens and secrets, by their names, one level deep. */
export const plantTokens = (answer: Readonly<Record<string, unknown>>): void => {
  const { data } = answer
  const told = typeof data === 'object' && data !== null ? { ...answer, ...data } : answer
  for (const [name, value] of Object.entries(told))
    if (tokenMembers.includes(name) && typeof value === 'string' && value.length >= shortest * 2) planted.add(value)
}

/** A secret as it may be written: itself, and what of it stands whole in its encodings. */
export const formsOf = (secret: string): readonly string[] => {
  const bytes = Buffer.from(secret)
  // Base64 of a longer text has the secret's own digits at one of three places; its ends depend on what stands beside it.
  const shifted = [0, 1, 2].map(before =>
    Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .slice(before === 0 ? 0 : before + 1, -4),
  )
  const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), new URLSearchParams({ '': secret }).toString().slice(1)]
  return [...new Set([...forms, ...shifted, ...shifted.map(one => one.replaceAll('+', '-').replaceAll('/', '_')), bytes.toString('hex')])]
}

/** The planted secrets that stand in a text, in any form. */
export const foundIn = (text: string, secrets: Iterable<string> = planted): readonly string[] =>
  [...secrets].filter(secret => formsOf(secret).some(form => text.includes(form)))

/** Throws when a planted secret stands in the text; the line is told, the secret's beginning only. */
export const verifySilence = (text: string): void => {
  const [found] = foundIn(text)
  if (found === undefined) return
  const line = text.split('\n').find(one => foundIn(one, [found]).length > 0) ?? ''
  throw new Error(`a secret (${found.slice(0, 4)}…) stands in the log: ${line.slice(0, 500)}`)
}

/** A stream for a log at every level, of which standard error gets what the level asks for. */
export const captureLog = (level: string) => {
  const least = pino.levels.values[level] ?? Number.POSITIVE_INFINITY
  const lines: string[] = []
  const stream = new Writable({
    decodeStrings: false,
    write: (line: string, _encoding, done) => {
      lines.push(line)
      if (least < Number.POSITIVE_INFINITY && JSON.parse(line).level >= least) process.stderr.write(line)
      done()
    },
  })
  const text = () => lines.join('')
  return { stream, text, verify: () => verifySilence(text()) }
}
