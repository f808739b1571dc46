// The keys of the issuer: made on first start, kept sealed, rotated next → current → retired without a failed verification, revoked at once.
import type { JWK } from 'jose'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import { type Database, statement } from '../platform/data/database.ts'
import { createPurge } from '../platform/data/purge.ts'
import { StartError } from '../platform/data/start-error.ts'
import { Problem } from '../platform/errors.ts'
import type { Secrets } from '../platform/secrets.ts'
import { type GenerateKey, generateKey as generateNamed } from './generated-key.ts'
import { createKeyChanges, isTooYoung, type KeyName, successors } from './key-changes.ts'
import { lifetimes } from './lifetimes.ts'
import { encryptionAlgorithms, isSigning, type KeyAlgorithm, keyAlgorithms, type SigningKey } from './signing-key.ts'

/** The keys of the issuer. */
export interface SigningKeys {
  /** For how long clients may keep our JWKS: a key signs only after it was published for longer. */
  readonly jwksMaxAgeSeconds: number
  /** Makes what is missing: a current key for each algorithm, and a next one for those that sign. Safe in several processes at once. */
  ensure(actor: Actor): Promise<void>
  /** The private keys for the engine: the current ones first, the retired ones last. */
  list(): Promise<JWK[]>
  /** The keys that others shall not be told of any more: those that only open or verify what comes back to us. */
  listUnpublished(): Promise<ReadonlySet<string>>
  /** The keys without what is private: current, next, retired, revoked. */
  describe(): Promise<readonly SigningKey[]>
  /** Changes whenever the keys do, or what is published of them. */
  version(): Promise<string>
  /**
   * Makes next current and current retired. Throws `signing_key_too_young` while clients may not know the next one, unless forced, and
   * `conflict` where another rotated at the same moment.
   */
  rotate(actor: Actor, options?: { isForced?: boolean | undefined }): Promise<void>
  /** Rotates what is as old as keys become; of any number of processes one does. Answers the algorithms. */
  rotateDue(actor: Actor): Promise<readonly KeyAlgorithm[]>
  /** Ends a key at once: nothing that it signed is believed, and the next takes over. Throws `not_found`, and `conflict` for one that is revoked. */
  revoke(actor: Actor, name: KeyName): Promise<void>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly secrets: Secrets
  readonly now: () => Date
  /** How old a current key becomes; 0: as old as it is let be. */
  readonly rotationDays: number
  readonly jwksMaxAgeSeconds: number
  readonly generateKey?: GenerateKey
}

// A key is published by every process within seconds of its making, and by then at the latest.
const spreadSeconds = 5
const daySeconds = 86_400

const states = statement(
  'signing-key-states',
  `SELECT coalesce(string_agg(kid || ':' || state || CASE WHEN retired_at <= $1 THEN ':kept' ELSE '' END, ',' ORDER BY kid), '') AS version
   FROM signing_keys WHERE state <> 'revoked'`,
)
const due = statement(
  'signing-keys-due',
  `SELECT k.id, k.algorithm FROM signing_keys k WHERE k.state = 'current' AND k.activated_at <= $1 AND (k.algorithm = ANY ($3)
     OR EXISTS (SELECT 1 FROM signing_keys n WHERE n.algorithm = k.algorithm AND n.state = 'next' AND n.created_at <= $2))`,
)
const order = { current: 0, next: 1, retired: 2, revoked: 3 } as Record<string, number>
const byState = (a: { state: string }, b: { state: string }) => (order[a.state] ?? 4) - (order[b.state] ?? 4)

/** Makes the service. */
export const createSigningKeys = ({ database, change, secrets, now, rotationDays, jwksMaxAgeSeconds, generateKey = generateNamed }: Needs): SigningKeys => {
  const { signingKey } = database.prisma
  const changes = createKeyChanges({ secrets, now, generateKey })
  const secondsAgo = (seconds: number) => new Date(now().getTime() - seconds * 1000)
  const knownBefore = () => secondsAgo(jwksMaxAgeSeconds + spreadSeconds)
  const unpublishedBefore = () => secondsAgo(lifetimes.longestSigned)

  const complete = async (actor: Actor) => {
    const kept = await signingKey.findMany({ where: { state: { in: ['current', 'next'] } }, select: { algorithm: true, state: true } })
    const missing = keyAlgorithms.flatMap(algorithm =>
      (isSigning(algorithm) ? (['current', 'next'] as const) : (['current'] as const))
        .filter(state => !kept.some(key => key.algorithm === algorithm && key.state === state))
        .map(state => ({ algorithm, state })),
    )
    if (missing.length === 0) return
    const keys = [...(await changes.generate(missing.map(({ algorithm }) => algorithm)))]
    await change(actor, async (tx, record) => {
      for (const wanted of missing) await changes.make({ keys, tx, record }, wanted)
    })
  }

  /** Of what is retired or revoked nothing comes. The other states are only left by a change that leaves a next key. */
  const afterRevoking = async (name: KeyName) => {
    const found = await signingKey.findFirst({ where: name, select: { algorithm: true, state: true } })
    const algorithm = keyAlgorithms.find(one => one === found?.algorithm)
    if (!algorithm || (found?.state !== 'current' && found?.state !== 'next')) return []
    return successors(algorithm, (await signingKey.findFirst({ where: { algorithm, state: 'next' }, select: { id: true } })) !== null)
  }

  return {
    jwksMaxAgeSeconds,
    // Another process may make them between our look and our insert; the unique indexes let only one through.
    ensure: async actor => {
      if (await isDone(complete(actor))) return
      await complete(actor)
    },
    list: async () => {
      const rows = await signingKey.findMany({ where: { state: { not: 'revoked' } }, orderBy: { createdAt: 'desc' } })
      return rows.sort(byState).map(row => open(row, secrets))
    },
    listUnpublished: async () => {
      const where = { state: 'retired', OR: [{ algorithm: { in: [...encryptionAlgorithms] } }, { retiredAt: { lte: unpublishedBefore() } }] }
      return new Set((await signingKey.findMany({ where, select: { kid: true } })).map(({ kid }) => kid))
    },
    describe: async () => {
      const rows = await signingKey.findMany({ omit: { sealedJwk: true }, orderBy: { createdAt: 'desc' } })
      return rows.sort(byState).map(row => ({
        ...row,
        activatedAt: row.activatedAt ?? undefined,
        retiredAt: row.retiredAt ?? undefined,
        revokedAt: row.revokedAt ?? undefined,
      }))
    },
    version: async () => (await database.run<{ version: string }>(states, [unpublishedBefore()]))[0]?.version ?? '',
    rotate: async (actor, { isForced = false } = {}) => {
      const known = isForced ? undefined : knownBefore()
      const kept = await signingKey.findMany({
        where: { state: { in: ['current', 'next'] } },
        select: { id: true, algorithm: true, state: true, createdAt: true },
      })
      const seen = keyAlgorithms.map(algorithm => {
        const [current, next] = ['current', 'next'].map(state => kept.find(key => key.algorithm === algorithm && key.state === state))
        return { algorithm, from: current?.id, next, knownBefore: known }
      })
      if (seen.some(isTooYoung)) throw new Problem('signing_key_too_young')
      const keys = [...(await changes.generate(seen.flatMap(({ algorithm, next }) => successors(algorithm, next !== undefined))))]
      await change(actor, async (tx, record) => {
        for (const { algorithm, from } of seen) await changes.rotate({ keys, tx, record }, { algorithm, from, knownBefore: known })
      })
    },
    rotateDue: async actor => {
      if (rotationDays === 0) return []
      const known = knownBefore()
      const values = [secondsAgo(rotationDays * daySeconds), known, encryptionAlgorithms]
      const rotated: KeyAlgorithm[] = []
      for (const { id, algorithm } of await database.run<{ id: string; algorithm: KeyAlgorithm }>(due, values)) {
        const keys = [...(await changes.generate(successors(algorithm, true)))]
        const rotating = change(actor, (tx, record) => changes.rotate({ keys, tx, record }, { algorithm, from: id, knownBefore: known }))
        if (await isDone(rotating)) rotated.push(algorithm)
      }
      return rotated
    },
    revoke: async (actor, name) => {
      const keys = [...(await changes.generate(await afterRevoking(name)))]
      await change(actor, (tx, record) => changes.revoke({ keys, tx, record }, name))
    },
  }
}

/** Forgets keys that were retired or revoked ninety days ago. */
export const purgeSigningKeys = createPurge({
  table: 'signing_keys',
  due: `state IN ('retired', 'revoked') AND coalesce(revoked_at, retired_at) < now() - interval '${lifetimes.retiredKey} seconds'`,
})

/** Whether it was done; false where another process was quicker. */
const isDone = async (changing: Promise<void>): Promise<boolean> => {
  try {
    await changing
    return true
  } catch (error) {
    if (error instanceof Problem && (error.code === 'conflict' || error.code === 'signing_key_too_young')) return false
    throw error
  }
}

const open = ({ sealedJwk, kid }: { sealedJwk: string | null; kid: string }, secrets: Secrets): JWK => {
  try {
    return JSON.parse(secrets.unseal('signing-key', sealedJwk ?? '', kid))
  } catch (cause) {
    throw new StartError(
      'secret_key_changed',
      'The signing keys in the database do not open with this SECRET_KEY. Start with the one they were sealed under, or name that one in SECRET_KEY_PREVIOUS.',
      { cause },
    )
  }
}
