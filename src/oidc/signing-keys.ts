// The keys of the issuer: made on first start, kept sealed, rotated next → current → retired without a failed verification.
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import { z } from 'zod'
import type { Actor } from '../platform/actor.ts'
import { type Change, event } from '../platform/data/change.ts'
import { type Database, statement, type TransactionClient } from '../platform/data/database.ts'
import { StartError } from '../platform/data/start-error.ts'
import { Problem } from '../platform/errors.ts'
import type { Secrets } from '../platform/secrets.ts'

const signing = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const
// What was encrypted for us we open with any key that we still have, so none of these is published ahead.
const encryption = ['RSA-OAEP-256', 'ECDH-ES'] as const
export const keyAlgorithms = [...signing, ...encryption] as const
type Algorithm = (typeof keyAlgorithms)[number]
const isSigning = (algorithm: string) => !encryption.some(one => one === algorithm)

/** For how long clients may keep our JWKS: a key signs only after it was published for longer. */
export const jwksMaxAgeSeconds = 300
const retiredForDays = 90

/** The keys of the issuer. */
export interface SigningKeys {
  /** Makes what is missing: a current key for each algorithm, and a next one for those that sign. Safe in several processes at once. */
  ensure(actor: Actor): Promise<void>
  /** The private keys for the engine: the current ones first, the retired ones last. */
  list(): Promise<JWK[]>
  /** The keys that are only opened with by now, which nobody shall encrypt under any more. */
  listUnpublished(): Promise<ReadonlySet<string>>
  /** The keys without what is private: current, next, retired. */
  describe(): Promise<readonly SigningKey[]>
  /** Changes whenever the keys do. */
  version(): Promise<string>
  /** Makes next current and current retired. Throws `signing_key_too_young` while clients may not know the next one, unless forced. */
  rotate(actor: Actor, options?: { isForced?: boolean }): Promise<void>
}

/** A key as it may be told. */
export interface SigningKey {
  readonly kid: string
  readonly algorithm: string
  readonly state: string
  readonly createdAt: Date
  readonly activatedAt?: Date
  readonly retiredAt?: Date
}

/** The events of the keys. */
export const signingKeyEvents = {
  'signing_key.created': event('signing_key', { kid: z.string(), algorithm: z.string(), state: z.string() }),
  'signing_key.rotated': event('signing_key', { kid: z.string(), algorithm: z.string() }),
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly secrets: Secrets
  readonly now: () => Date
}

const states = statement('signing-key-states', `SELECT coalesce(string_agg(kid || ':' || state, ',' ORDER BY kid), '') AS version FROM signing_keys`)
const order = { current: 0, next: 1, retired: 2 } as Record<string, number>

/** Makes the service. */
export const createSigningKeys = ({ database, change, secrets, now }: Needs): SigningKeys => {
  const make = async (tx: TransactionClient, { algorithm, state }: { algorithm: Algorithm; state: 'next' | 'current' }) => {
    const { privateJwk, publicJwk } = await generate(algorithm)
    const sealedJwk = secrets.seal('signing-key', JSON.stringify(privateJwk), publicJwk.kid)
    return tx.signingKey.create({
      data: { kid: publicJwk.kid, algorithm, state, publicJwk: { ...publicJwk }, sealedJwk, activatedAt: state === 'current' ? now() : null },
    })
  }

  const complete = async (actor: Actor) => {
    const kept = await database.prisma.signingKey.findMany({ where: { state: { in: ['current', 'next'] } }, select: { algorithm: true, state: true } })
    const missing = keyAlgorithms.flatMap(algorithm =>
      (isSigning(algorithm) ? (['current', 'next'] as const) : (['current'] as const))
        .filter(state => !kept.some(key => key.algorithm === algorithm && key.state === state))
        .map(state => ({ algorithm, state })),
    )
    if (missing.length === 0) return
    await change(actor, async (tx, record) => {
      for (const wanted of missing) record('signing_key.created', await make(tx, wanted))
    })
  }

  return {
    ensure: async actor => {
      try {
        await complete(actor)
      } catch (error) {
        // Another process made them between our look and our insert; the unique index let only one through.
        if (!(error instanceof Problem && error.code === 'conflict')) throw error
        await complete(actor)
      }
    },
    list: async () => {
      const rows = await database.prisma.signingKey.findMany({ orderBy: { createdAt: 'desc' } })
      return rows.sort((a, b) => (order[a.state] ?? 3) - (order[b.state] ?? 3)).map(row => open(row, secrets))
    },
    listUnpublished: async () => {
      const where = { state: 'retired', algorithm: { in: [...encryption] } }
      return new Set((await database.prisma.signingKey.findMany({ where, select: { kid: true } })).map(({ kid }) => kid))
    },
    describe: async () => {
      const rows = await database.prisma.signingKey.findMany({ omit: { sealedJwk: true }, orderBy: { createdAt: 'desc' } })
      return rows
        .map(row => ({ ...row, activatedAt: row.activatedAt ?? undefined, retiredAt: row.retiredAt ?? undefined }))
        .sort((a, b) => (order[a.state] ?? 3) - (order[b.state] ?? 3))
    },
    version: async () => (await database.run<{ version: string }>(states, []))[0]?.version ?? '',
    rotate: (actor, { isForced = false } = {}) =>
      change(actor, async (tx, record) => {
        for (const algorithm of signing) {
          const next = await tx.signingKey.findFirst({ where: { algorithm, state: 'next' }, orderBy: { createdAt: 'asc' } })
          const isTooYoung = !next || now().getTime() - next.createdAt.getTime() < jwksMaxAgeSeconds * 1000
          if (isTooYoung && !isForced) throw new Problem('signing_key_too_young')
          await tx.signingKey.updateMany({ where: { algorithm, state: 'current' }, data: { state: 'retired', retiredAt: now() } })
          if (next) await tx.signingKey.update({ where: { id: next.id }, data: { state: 'current', activatedAt: now() } })
          record('signing_key.rotated', next ?? (await make(tx, { algorithm, state: 'current' })))
          record('signing_key.created', await make(tx, { algorithm, state: 'next' }))
        }
        for (const algorithm of encryption) {
          await tx.signingKey.updateMany({ where: { algorithm, state: 'current' }, data: { state: 'retired', retiredAt: now() } })
          record('signing_key.rotated', await make(tx, { algorithm, state: 'current' }))
        }
        await tx.signingKey.deleteMany({ where: { state: 'retired', retiredAt: { lt: new Date(now().getTime() - retiredForDays * 86_400_000) } } })
      }),
  }
}

const open = ({ sealedJwk, kid }: { sealedJwk: string; kid: string }, secrets: Secrets): JWK => {
  try {
    return JSON.parse(secrets.unseal('signing-key', sealedJwk, kid))
  } catch (cause) {
    throw new StartError(
      'secret_key_changed',
      'The signing keys in the database do not open with this SECRET_KEY. Start with the one they were sealed under.',
      { cause },
    )
  }
}

const generate = async (algorithm: Algorithm) => {
  const pair = await generateKeyPair(algorithm, { extractable: true, modulusLength: 2048, ...(algorithm === 'ECDH-ES' ? { crv: 'P-256' } : {}) })
  const kid = await calculateJwkThumbprint(await exportJWK(pair.publicKey))
  // A key for ECDH-ES serves all of its variants (RFC 7518 §4.6).
  const purpose = isSigning(algorithm) ? { alg: algorithm, use: 'sig' } : { ...(algorithm === 'ECDH-ES' ? {} : { alg: algorithm }), use: 'enc' }
  const named = async (key: Parameters<typeof exportJWK>[0]) => ({ ...(await exportJWK(key)), kid, ...purpose })
  return { privateJwk: await named(pair.privateKey), publicJwk: await named(pair.publicKey) }
}
