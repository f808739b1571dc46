// The keys that outlive SECRET_KEY: derived once from the first one, and kept sealed under the current one.
//
// Pairwise subjects are how clients know people, and the audit log is a chain of MACs: under another key every person would be a stranger to
// their clients, and every chain would read as rewritten. What is only known as a digest (client secrets, recovery codes) could not be digested
// anew without its holder. So their keys stay, whatever SECRET_KEY becomes; what is rotated is what they are sealed under.
import { lastingPurposes, type Purpose } from '../purposes.ts'
import { createSecrets, type Secrets } from '../secrets.ts'
import { type Database, statement } from './database.ts'
import { StartError } from './start-error.ts'

interface Given {
  readonly database: Database
  readonly secretKey: string
  readonly previousKeys: readonly string[]
  readonly randomBytes: (size: number) => Buffer
}

/** A key as it is kept: sealed under SECRET_KEY, or under one before it. */
export interface LastingKey {
  readonly purpose: Purpose
  readonly sealed: string
}

const all = statement('lasting-keys', 'SELECT purpose, sealed FROM lasting_keys')
// Of many who start at once one makes a key; the others read it.
const make = statement(
  'lasting-keys-make',
  'INSERT INTO lasting_keys (purpose, sealed) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT (purpose) DO NOTHING',
)
const oldest = statement('signing-key-oldest', 'SELECT kid, sealed_jwk FROM signing_keys WHERE sealed_jwk IS NOT NULL ORDER BY created_at LIMIT 1')

/**
 * Opens the secrets of a migrated database: one round trip, but for the first start. Throws a StartError `secret_key_changed` where what is
 * sealed there opens under none of the keys; then nothing was written.
 */
export const openSecrets = async ({ database, ...given }: Given): Promise<Secrets> => {
  const secrets = createSecrets(given)
  const kept = await database.run<LastingKey>(all)
  const missing = lastingPurposes.filter(purpose => !kept.some(row => row.purpose === purpose))
  if (missing.length > 0) {
    const first = await findFirst(database, given)
    await database.run(make, [missing, missing.map(purpose => secrets.seal('lasting-key', first.derive(purpose).toString('base64url'), purpose))])
  }
  const rows = missing.length > 0 ? await database.run<LastingKey>(all) : kept
  return secretsOver(rows, given)
}

/** Secrets with the lasting keys of a database; of one that has none yet, those of its SECRET_KEY. Throws as {@link openSecrets} does. */
export const secretsOver = (rows: readonly LastingKey[], given: Omit<Given, 'database'>): Secrets => {
  const secrets = createSecrets(given)
  if (rows.length === 0) return secrets
  const lasting = new Map(rows.map(row => [row.purpose, Buffer.from(opened(secrets, row), 'base64url')]))
  return createSecrets({ ...given, lasting })
}

// A database that has keys already was begun under the one that opens them, which need not be the current one.
const findFirst = async (database: Database, { secretKey, previousKeys, randomBytes }: Omit<Given, 'database'>): Promise<Secrets> => {
  const [key] = await database.run<{ kid: string; sealed_jwk: string }>(oldest)
  const candidates = [secretKey, ...previousKeys].map(one => createSecrets({ secretKey: one, randomBytes }))
  const first = key ? candidates.find(one => doesOpen(one, key)) : candidates[0]
  if (!first) throw changed()
  return first
}

const doesOpen = (secrets: Secrets, { kid, sealed_jwk }: { kid: string; sealed_jwk: string }): boolean => {
  try {
    secrets.unseal('signing-key', sealed_jwk, kid)
    return true
  } catch {
    return false // it is of another key
  }
}

const opened = (secrets: Secrets, { purpose, sealed }: LastingKey): string => {
  try {
    return secrets.unseal('lasting-key', sealed, purpose)
  } catch (cause) {
    throw changed(cause)
  }
}

const changed = (cause?: unknown) =>
  new StartError(
    'secret_key_changed',
    'What is sealed in the database does not open with this SECRET_KEY. Start with the one it was sealed under, or name that one in SECRET_KEY_PREVIOUS.',
    { cause },
  )
