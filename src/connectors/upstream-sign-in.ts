// Signing in by another provider: from the person it vouches for to a user of ours.
//
// The pair of connection and subject is the key. An address leads to an account only where the provider is entitled to speak for it and the
// account's own address is verified: everything else is refused by one sentence, which tells nobody whether there is an account.
import type { Proof } from '../authentication/authentication.ts'
import type { PostNotice } from '../mails/notices.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { Database, TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { mailedName } from '../platform/http/text.ts'
import type { Users } from '../users/users.ts'
import type { UpstreamIdentity } from './connector.ts'
import { readAddress, type ToldAddress } from './entitlement.ts'
import { type JoinOrganization, joinBy } from './join.ts'
import { toJson } from './provider-data.ts'
import type { UpstreamProof } from './upstream.ts'
import { usable } from './usable.ts'

/** Somebody who comes from a provider to sign in. */
export interface UpstreamAttempt extends UpstreamProof {
  /** Whether the system, the client's organization and its invitations let somebody with this address have an account. */
  readonly maySignUp: (email: string) => Promise<boolean>
}

/** Proves people by other providers. */
export interface UpstreamSignIn {
  /** Throws `upstream_unlinked`, and `connection_gone` for one that was disabled meanwhile. */
  prove(actor: Actor, attempt: UpstreamAttempt): Promise<Proof>
  /** Notes an attempt that was over before anybody was named. */
  noteRefused(actor: Actor, refusal: { readonly method: string; readonly reason: string }): Promise<void>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly users: Users
  readonly join: JoinOrganization
  readonly notify: PostNotice
  readonly askVerification: (tx: TransactionClient, actor: Actor, email: string) => Promise<void>
  readonly now: () => Date
}

/** What is to be done, and who it is done to. */
type Plan =
  | { readonly kind: 'known'; readonly userId: string }
  | { readonly kind: 'link'; readonly userId: string; readonly email: string }
  | { readonly kind: 'create'; readonly address: ToldAddress }
  | { readonly kind: 'refuse'; readonly reason: string; readonly userId?: string }

// Of many who come first at once one makes the user; the others then find it.
const maxTries = 4

/** Makes the service. Each attempt writes one event of signing in. */
export const createUpstreamSignIn = (needs: Needs): UpstreamSignIn => {
  const { change, users, now } = needs
  const noteRefused: UpstreamSignIn['noteRefused'] = (actor, { method, reason }) =>
    change(actor, async (_tx, record) => record('sign_in.refused', { method, reason }, { outcome: 'refused' }))

  const enter = (actor: Actor, attempt: UpstreamAttempt, { userId, email }: { userId: string; email?: string }): Promise<string> =>
    change({ ...actor, kind: 'user', id: userId }, async (tx, record) => {
      const { connection, identity } = attempt
      await mustBeUsable(tx, connection.id)
      await joinBy({ join: needs.join, tx, record }, { connection, claims: identity.claims, userId })
      await mustLive(tx, { userId, email })
      const row = { connectionId: connection.id, subject: identity.subject, userId }
      const told = { providerData: toJson(identity), lastUsedAt: now() }
      const { count } = await tx.identity.updateMany({ where: row, data: told })
      if (count === 0 && email === undefined) throw new Problem('conflict')
      if (count === 0) {
        const { id } = await tx.identity.create({ data: { ...row, ...told } })
        record('identity.linked', { id, connection_id: connection.id, connector: connection.connector, user_id: userId })
        await needs.notify(tx, { kind: 'identity_linked', userId, actor, values: { connection: connection.name } })
      }
      record('sign_in.succeeded', { id: userId, method: connection.connector })
      return userId
    })

  const create = async (actor: Actor, { connection, identity }: UpstreamAttempt, { email, isEntitled }: ToldAddress): Promise<string> => {
    const { id } = await users.create(actor, { email, isEmailVerified: isEntitled, ...shownOf(identity) }, async (tx, userId, record) => {
      await mustBeUsable(tx, connection.id)
      const data = { connectionId: connection.id, subject: identity.subject, userId, providerData: toJson(identity), lastUsedAt: now() }
      const { id } = await tx.identity.create({ data })
      await joinBy({ join: needs.join, tx, record }, { connection, claims: identity.claims, userId })
      if (!isEntitled) await needs.askVerification(tx, actor, email)
      record('identity.linked', { id, connection_id: connection.id, connector: connection.connector, user_id: userId })
      record('sign_in.succeeded', { id: userId, method: connection.connector })
    })
    return id
  }

  const once = async (actor: Actor, attempt: UpstreamAttempt): Promise<string> => {
    const plan = await planFor(needs, attempt)
    if (plan.kind === 'known' || plan.kind === 'link') return enter(actor, attempt, plan)
    if (plan.kind === 'create') return create(actor, attempt, plan.address)
    await mustBeUsable(needs.database.prisma, attempt.connection.id) // what ended a moment ago is told as what it is
    const { reason, userId } = plan
    throw new Problem('upstream_unlinked', { cause: new Refusal(reason, userId) })
  }

  return {
    noteRefused,
    prove: async (actor, attempt) => {
      try {
        const id = await retrying(() => once(actor, attempt))
        users.forget(id)
        const user = await users.find(id)
        if (!user) throw new Problem('upstream_unlinked', { cause: new Refusal('account_ended', id) })
        return { user, amr: ['fed'] }
      } catch (error) {
        if (!(error instanceof Problem) || !['upstream_unlinked', 'connection_gone'].includes(error.code)) throw error
        const { reason, userId } = error.cause instanceof Refusal ? error.cause : new Refusal(error.code)
        await change(actor, async (_tx, record) =>
          record('sign_in.refused', { id: userId, method: attempt.connection.connector, reason }, { outcome: 'refused' }),
        )
        throw error
      }
    },
  }
}

/** Why somebody was refused, for the audit log alone. */
class Refusal extends Error {
  readonly reason: string
  readonly userId?: string

  constructor(reason: string, userId?: string) {
    super(reason)
    this.reason = reason
    this.userId = userId
  }
}

const planFor = async (needs: Needs, attempt: UpstreamAttempt): Promise<Plan> => {
  const known = await findKnown(needs, attempt)
  if (known) return known
  const plan = await planForUnknown(needs, attempt)
  // The user who stands in the way may be they themselves, made by another of their sign-ins between the two looks.
  return plan.kind === 'refuse' ? ((await findKnown(needs, attempt)) ?? plan) : plan
}

const findKnown = async ({ database }: Needs, { connection, identity: { subject } }: UpstreamAttempt): Promise<Plan | undefined> => {
  const where = { connectionId_subject: { connectionId: connection.id, subject } }
  const known = await database.prisma.identity.findUnique({ where, select: { userId: true } })
  return known ? { kind: 'known', userId: known.userId } : undefined
}

const planForUnknown = async ({ database, users }: Needs, { connection, identity, maySignUp }: UpstreamAttempt): Promise<Plan> => {
  const address = await readAddress(database.prisma, { connection, identity })
  if (!address) return { kind: 'refuse', reason: 'address_unverified' }
  const user = await users.findByEmail(address.email)
  if (user && !address.isEntitled) return { kind: 'refuse', reason: 'address_not_believed', userId: user.id }
  if (user && !user.isEmailVerified) return { kind: 'refuse', reason: 'account_unverified', userId: user.id }
  if (user) return { kind: 'link', userId: user.id, email: address.email }
  if (!connection.createsUsers) return { kind: 'refuse', reason: 'no_account' }
  const isAllowed = connection.organizationId === undefined ? await maySignUp(address.email) : address.isOfOrganization
  return isAllowed ? { kind: 'create', address } : { kind: 'refuse', reason: 'sign_up_closed' }
}

// What another did at the same moment is found at the next look.
const retrying = async (work: () => Promise<string>): Promise<string> => {
  for (let left = maxTries; ; left -= 1) {
    try {
      return await work()
    } catch (error) {
      const isOvertaken = error instanceof Problem && (error.code === 'conflict' || error.code === 'email_taken')
      if (!isOvertaken || left <= 1) throw error
    }
  }
}

const mustBeUsable = async (tx: TransactionClient, id: string): Promise<void> => {
  if (!(await tx.connection.findFirst({ where: { id, ...usable }, select: { id: true } }))) throw new Problem('connection_gone')
}

// In turn with whatever suspends or deletes the user, or moves their address.
const mustLive = async (tx: TransactionClient, { userId, email = null }: { userId: string; email?: string | null }): Promise<void> => {
  const [found] = await tx.$queryRaw<{ is_living: boolean; is_owner: boolean }[]>`
    SELECT deleted_at IS NULL AND suspended_at IS NULL AS is_living,
           ${email}::text IS NULL OR (email_normalized = ${email} AND email_verified_at IS NOT NULL) AS is_owner
    FROM users WHERE id = ${userId}::uuid FOR SHARE`
  if (!found) throw new Problem('conflict')
  if (!found.is_living) throw new Problem('upstream_unlinked', { cause: new Refusal('account_ended', userId) })
  if (!found.is_owner) throw new Problem('conflict')
}

const shownName = mailedName(200)

// Names and pictures of strangers are shown to others: what we would not take of a form is left out.
const shownOf = ({ name, picture }: UpstreamIdentity) => {
  const shown = shownName.safeParse(name)
  const isPicture = picture !== undefined && picture.length <= 2000 && URL.canParse(picture) && new URL(picture).protocol === 'https:'
  return { ...(shown.success ? { name: shown.data } : {}), ...(isPicture ? { picture } : {}) }
}
