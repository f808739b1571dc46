// How the keys of an algorithm change, inside a transaction: made, rotated, revoked. One conditional statement decides each.
import type { RecordEvent } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { Secrets } from '../platform/secrets.ts'
import type { GenerateKey, NamedJwk } from './generated-key.ts'
import { isSigning, type KeyAlgorithm, keyAlgorithms } from './signing-key.ts'

/** Names a key. */
export type KeyName = { readonly id: string } | { readonly kid: string }

/** A key that is generated and sealed, but not one of the issuer yet. */
export interface NewKey {
  readonly algorithm: KeyAlgorithm
  readonly publicJwk: NamedJwk
  readonly sealedJwk: string
}

/** What is to be generated for what comes after a current key: one where the next one is there or none is needed, else two. */
export const successors = (algorithm: KeyAlgorithm, hasNext: boolean): readonly KeyAlgorithm[] =>
  isSigning(algorithm) && !hasNext ? [algorithm, algorithm] : [algorithm]

/** The changes, in a transaction that records them. Each throws `conflict` where it finds too few keys, for others have changed since they were generated. */
export interface KeyChanges {
  /** Generates keys, before the transaction begins: it takes long, and nobody shall wait for rows meanwhile. */
  generate(algorithms: readonly KeyAlgorithm[]): Promise<readonly NewKey[]>
  make(to: Changing, key: { algorithm: KeyAlgorithm; state: 'next' | 'current' }): Promise<void>
  /**
   * Makes next current, and retires the current one, that the caller saw before. Throws `signing_key_too_young` for a next one that was made
   * after `knownBefore`, and `conflict` where another rotated since it was seen.
   */
  rotate(to: Changing, key: { algorithm: KeyAlgorithm; from: string | undefined; knownBefore: Date | undefined }): Promise<void>
  /** Ends a key at once; what comes after a current one takes over, however young. Throws `not_found`, and `conflict` for one that is revoked. */
  revoke(to: Changing, name: KeyName): Promise<void>
}

interface Changing {
  /** What was generated for it, of which is taken; what is left over is thrown away. */
  readonly keys: NewKey[]
  readonly tx: TransactionClient
  readonly record: RecordEvent
}

interface Needs {
  readonly secrets: Secrets
  readonly now: () => Date
  readonly generateKey: GenerateKey
}

/** Makes them. */
export const createKeyChanges = ({ secrets, now, generateKey }: Needs): KeyChanges => {
  const generateOne = async (algorithm: KeyAlgorithm): Promise<NewKey> => {
    const { privateJwk, publicJwk } = await generateKey(algorithm)
    return { algorithm, publicJwk, sealedJwk: secrets.seal('signing-key', JSON.stringify(privateJwk), publicJwk.kid) }
  }

  const make: KeyChanges['make'] = async ({ keys, tx, record }, { algorithm, state }) => {
    const key = keys.find(one => one.algorithm === algorithm)
    if (!key) throw new Problem('conflict')
    keys.splice(keys.indexOf(key), 1)
    const { publicJwk, sealedJwk } = key
    const at = now()
    const made = await tx.signingKey.create({
      data: { kid: publicJwk.kid, algorithm, state, publicJwk: { ...publicJwk }, sealedJwk, createdAt: at, activatedAt: state === 'current' ? at : null },
    })
    record('signing_key.created', made)
  }

  /** What signs from now on: the next key, or one that is made where there is none; and a new one after it. */
  const takeOver = async (to: Changing, { algorithm, next }: { algorithm: KeyAlgorithm; next?: { readonly id: string } | null | undefined }) => {
    if (!next) await make(to, { algorithm, state: 'current' })
    else {
      const [taken] = await to.tx.signingKey.updateManyAndReturn({
        where: { id: next.id, state: 'next' },
        data: { state: 'current', activatedAt: now() },
        omit: { sealedJwk: true },
      })
      if (!taken) throw new Problem('conflict')
      to.record('signing_key.rotated', taken)
    }
    if (isSigning(algorithm)) await make(to, { algorithm, state: 'next' })
  }

  const findNext = (tx: TransactionClient, algorithm: KeyAlgorithm) =>
    tx.signingKey.findFirst({ where: { algorithm, state: 'next' }, select: { id: true, createdAt: true } })

  return {
    generate: algorithms => Promise.all(algorithms.map(generateOne)),
    make,
    rotate: async (to, { algorithm, from, knownBefore }) => {
      const { tx } = to
      const next = await findNext(tx, algorithm)
      if (isTooYoung({ algorithm, next, knownBefore })) throw new Problem('signing_key_too_young')
      if (from !== undefined) {
        const { count } = await tx.signingKey.updateMany({ where: { id: from, state: 'current' }, data: { state: 'retired', retiredAt: now() } })
        if (count === 0) throw new Problem('conflict')
      }
      await takeOver(to, { algorithm, next })
    },
    revoke: async (to, name) => {
      const { tx, record } = to
      const { id, state, algorithm } = await lock(tx, name)
      if (state === 'revoked') throw new Problem('conflict')
      const revoked = await tx.signingKey.update({ where: { id }, data: { state: 'revoked', revokedAt: now(), sealedJwk: null } })
      record('signing_key.revoked', { ...revoked, state })
      if (state === 'current') await takeOver(to, { algorithm, next: await findNext(tx, algorithm) })
      if (state === 'next') await make(to, { algorithm, state: 'next' })
    },
  }
}

/** Whether clients may not know yet what would sign after a rotation. */
export const isTooYoung = ({
  algorithm,
  next,
  knownBefore,
}: {
  algorithm: KeyAlgorithm
  next: { createdAt: Date } | null | undefined
  knownBefore: Date | undefined
}) => isSigning(algorithm) && knownBefore !== undefined && (!next || next.createdAt > knownBefore)

const lock = async (tx: TransactionClient, name: KeyName) => {
  const found = await tx.signingKey.findFirst({ where: name, select: { id: true } })
  if (!found) throw new Problem('not_found')
  const [row] = await tx.$queryRaw<{ id: string; state: string; algorithm: string }[]>`
    SELECT id, state, algorithm FROM signing_keys WHERE id = ${found.id}::uuid FOR UPDATE`
  const algorithm = keyAlgorithms.find(one => one === row?.algorithm)
  if (!row || !algorithm) throw new Problem('not_found')
  return { ...row, algorithm }
}
