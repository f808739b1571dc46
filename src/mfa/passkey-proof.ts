// Proving oneself by passkey, as the one way in or as the second factor: whatever is refused is told alike and written down.
import type { AuthenticationMethodReference, Proof } from '../authentication/authentication.ts'
import type { Actor } from '../platform/actor.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { addressKey } from '../platform/http/limit.ts'
import { type AssertionJson, PasskeyRefusal } from './passkey.ts'
import type { Assertion, Credential } from './passkey-ceremonies.ts'
import { referencesOfRow, toCredential, toDescriptor } from './passkey-row.ts'
import { challengeOf } from './passkey-shape.ts'
import type { PartNeeds, PasskeyProof } from './passkeys.ts'
import { handleOf } from './user-handle.ts'

interface Answer {
  readonly binding: string
  readonly response: AssertionJson
  /** Absent: the passkey says who is there. */
  readonly userId?: string
}

const asSignIn = { accepted: 'sign_in.succeeded', refused: 'sign_in.refused', shown: { method: 'passkey' } } as const
const asFactor = { accepted: 'factor.accepted', refused: 'factor.refused', shown: { factor: 'passkey' } } as const
const kind = 'passkey'

/** Makes the part. Budgets: three hundred beginnings and thirty failures an address and minute. */
export const createPasskeyProof = ({ database, change, users, challenges, ceremonies, limit }: PartNeeds): PasskeyProof => {
  const beginnings = limit('passkey-begin:address', { points: 300, durationSeconds: 60 })
  const failures = limit('passkey:address', { points: 30, durationSeconds: 60 })

  const settle = async (actor: Actor, { answer, told }: { answer: Answer; told: typeof asSignIn | typeof asFactor }): Promise<Proof> => {
    const key = addressKey(actor.ip ?? 'unknown')
    const onFirstRefusal = () =>
      change(actor, async (_tx, record) => record(told.refused, { id: answer.userId, ...told.shown, reason: 'too_many_attempts' }, { outcome: 'refused' }))
    await failures.consume(key, { onFirstRefusal })
    const owner = await findOwner(answer)
    try {
      const proof = await proven(answer, owner)
      await change({ ...actor, kind: 'user', id: proof.user.id }, async (tx, record) => {
        if (!(await use(tx, proof))) throw new PasskeyRefusal('counter')
        record(told.accepted, { id: proof.user.id, ...told.shown })
      })
      await failures.reward(key)
      return { user: proof.user, amr: provenReferences(proof) }
    } catch (error) {
      if (!(error instanceof PasskeyRefusal)) throw error
      const { reason } = error
      await change(actor, async (_tx, record) => {
        record(told.refused, { id: answer.userId ?? owner?.userId, ...told.shown, reason }, { outcome: 'refused' })
        if (reason === 'counter' && owner) record('authenticator.counter_went_back', { ...owner, user_id: owner.userId }, { outcome: 'refused' })
      })
      throw new Problem(reason === 'credential' ? 'passkey_unknown' : 'passkey_refused', { cause: error })
    }
  }

  const findOwner = ({ response }: Answer) =>
    database.prisma.authenticator.findFirst({
      where: { kind, credentialId: new Uint8Array(Buffer.from(response.id, 'base64url')), deletedAt: null },
      include: { user: { select: { suspendedAt: true, deletedAt: true } } },
    })

  const proven = async ({ response, binding, userId }: Answer, owner: Awaited<ReturnType<typeof findOwner>>) => {
    const challenge = challengeOf(response)
    if (!(await challenges.redeem(challenge, { ceremony: 'authentication', binding, userId }))) throw new PasskeyRefusal('challenge')
    if (!owner) throw new PasskeyRefusal('credential')
    const credential = toCredential(owner)
    const assertion = await ceremonies.verifyAssertion(response, { challenge, credential })
    const user = owner.user.suspendedAt || owner.user.deletedAt ? undefined : await users.find(owner.userId)
    // §7.2: who was not named before is named by the handle, and both are whose passkey it is.
    const { userHandle } = response.response
    const isHandleRight = userHandle ? userHandle === handleOf(owner.userId) : userId !== undefined
    if (!user || !isHandleRight || (userId ?? owner.userId) !== owner.userId) throw new PasskeyRefusal('user')
    return { user, rowId: owner.id, credential, assertion }
  }

  return {
    beginProof: async (actor, { binding, userId }) => {
      await beginnings.consume(addressKey(actor.ip ?? 'unknown'))
      const challenge = await challenges.issue({ ceremony: 'authentication', binding, userId })
      if (userId === undefined) return ceremonies.requestOptions({ challenge })
      const known = await database.prisma.authenticator.findMany({ where: { userId, kind, deletedAt: null } })
      return ceremonies.requestOptions({ challenge, allow: known.map(toDescriptor) })
    },
    signIn: (actor, { binding, response }) => settle(actor, { answer: { binding, response }, told: asSignIn }),
    prove: (actor, answer) => settle(actor, { answer, told: asFactor }),
  }
}

interface Used {
  readonly rowId: string
  readonly credential: Credential
  readonly assertion: Assertion
}

// The counter decides in the statement itself: of two clones that are used at once, one is refused.
const use = async (tx: TransactionClient, { rowId, credential, assertion: { counter, isBackedUp } }: Used): Promise<boolean> => {
  const details = JSON.stringify({ ...credential.details, isBackedUp })
  const used = await tx.$executeRaw`
    UPDATE authenticators SET counter = ${BigInt(counter)}, details = ${details}::json, last_used_at = now(), updated_at = now()
    WHERE id = ${rowId}::uuid AND deleted_at IS NULL AND (counter < ${BigInt(counter)} OR (counter = 0 AND ${BigInt(counter)} = 0))`
  return used === 1
}

/** And `mfa` (RFC 8176 §2) where it knew the person by PIN or body, which is something they have and something they know or are. */
const provenReferences = ({ credential, assertion }: Used): AuthenticationMethodReference[] => [
  ...referencesOfRow(credential),
  ...(assertion.isUserVerified ? (['mfa'] as const) : []),
]
