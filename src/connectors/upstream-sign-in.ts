// Signing in by another provider: from the person it vouches for to a user of ours.
import type { AcceptProof } from '../authentication/accept-proof.ts'
import type { Proof } from '../authentication/authentication.ts'
import type { PostNotice } from '../mails/notices.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { Database, TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { mailedName } from '../platform/http/text.ts'
import type { Users } from '../users/users.ts'
import type { Connection } from './connection.ts'
import type { UpstreamIdentity } from './connector.ts'
import type { ToldAddress } from './entitlement.ts'
import { freeSubject } from './identity-erasures.ts'
import { notedOf, recordIdentity } from './identity-told.ts'
import { type JoinOrganization, joinBy } from './join.ts'
import { toJson } from './provider-data.ts'
import { Refusal, refused } from './refusal.ts'
import { passGate } from './sign-in-gate.ts'
import { planFor, type UpstreamAttempt } from './sign-in-plan.ts'
import type { VerifyConnection } from './verify-connection.ts'

/** Who was signed in. */
export interface UpstreamSigned extends Proof {
  /** When everything else in the account ended by it, where it was the first proof of the address. */
  readonly tookOverAt?: Date
  /** The account at the provider. */
  readonly identityId: string
  /** The organization for which alone the sign-in is good. */
  readonly confinedTo?: string | undefined
}

/** Proves people by other providers. */
export interface UpstreamSignIn {
  /** Throws `upstream_unlinked`, `upstream_confined` where the sign-in would be for more than it is good for, `connection_gone` for one that was disabled meanwhile, and `busy` where others were always a moment before. */
  prove(actor: Actor, attempt: UpstreamAttempt): Promise<UpstreamSigned>
  /** Notes an attempt that was over before anybody was named. */
  noteRefused(actor: Actor, refusal: { readonly method: string; readonly reason: string }): Promise<void>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly users: Users
  readonly verifyConnection: VerifyConnection
  readonly acceptProof: AcceptProof
  readonly join: JoinOrganization
  readonly notify: PostNotice
  readonly askVerification: (tx: TransactionClient, actor: Actor, email: string) => Promise<void>
  readonly newId: () => string
  readonly now: () => Date
}

interface Entrant {
  readonly userId: string
  /** Where they are to be linked. */
  readonly email?: string
  readonly isFirstProof?: boolean
}

interface Entered extends Pick<UpstreamSigned, 'identityId' | 'confinedTo'> {
  /** Of the user. */
  readonly id: string
}

// Of many who come first at once one makes the user; the others then find it.
const maxTries = 4

/** Makes the service. Each attempt writes one event of signing in. */
export const createUpstreamSignIn = (needs: Needs): UpstreamSignIn => {
  const { change, users, verifyConnection, newId, now } = needs
  const noteRefused: UpstreamSignIn['noteRefused'] = (actor, { method, reason }) =>
    change(actor, async (_tx, record) => record('sign_in.refused', { method, reason }, { outcome: 'refused' }))

  const enter = (actor: Actor, attempt: UpstreamAttempt, { userId, email, isFirstProof = false }: Entrant): Promise<Entered> =>
    change({ ...actor, kind: 'user', id: userId }, async (tx, record) => {
      const { connection, identity } = attempt
      const confinedTo = await passGate({ tx, record, ...needs }, { ...attempt, userId, linkedBy: email, isFirstProof })
      const row = { connectionId: connection.id, subject: identity.subject, userId }
      const told = { providerData: toJson(identity), lastUsedAt: now() }
      const [known] = await tx.identity.updateManyAndReturn({ where: row, data: told })
      if (!known && email === undefined) throw new Problem('conflict')
      if (!known) await freeSubject(tx, record, row)
      const { id } = known ?? (await tx.identity.create({ data: { ...row, ...told } }))
      if (!known) {
        recordIdentity(record, 'identity.linked', { row: { id, userId }, connection })
        await needs.notify(tx, { kind: 'identity_linked', userId, actor, values: await notedOf(tx, connection) })
      }
      record('sign_in.succeeded', toldOf(connection, userId), ofOrganization(connection))
      return { id: userId, identityId: id, confinedTo }
    })

  const create = async (actor: Actor, { connection, identity }: UpstreamAttempt, { email, isEntitled }: ToldAddress): Promise<Entered> => {
    const row = { id: newId() }
    const { id } = await users.create(
      actor,
      { email, locale: actor.language, isEmailVerified: isEntitled, ...shownOf(identity) },
      async (tx, userId, record) => {
        await joinBy({ join: needs.join, tx, record }, { connection, identity, userId })
        await verifyConnection(tx, connection)
        const data = {
          ...row,
          connectionId: connection.id,
          subject: identity.subject,
          userId,
          providerData: toJson(identity),
          lastUsedAt: now(),
          madeUser: true,
        }
        await freeSubject(tx, record, data)
        await tx.identity.create({ data })
        if (!isEntitled) await needs.askVerification(tx, actor, email)
        const by = { ...ofOrganization(connection), byUserId: userId }
        recordIdentity(record, 'identity.linked', { row: data, connection, byUserId: userId })
        record('sign_in.succeeded', toldOf(connection, userId), by)
      },
    )
    return { id, identityId: row.id }
  }

  const once = async (actor: Actor, attempt: UpstreamAttempt): Promise<Entered & Pick<UpstreamSigned, 'tookOverAt'>> => {
    const plan = await planFor(needs, attempt)
    if (plan.kind === 'known') return enter(actor, attempt, plan)
    if (plan.kind === 'create') return create(actor, attempt, plan.address)
    if (plan.kind === 'link') return { ...(await enter(actor, attempt, plan)), ...(plan.isFirstProof ? { tookOverAt: now() } : {}) }
    await verifyConnection(needs.database.prisma, attempt.connection) // what ended a moment ago is told as what it is
    const { reason, userId } = plan
    throw refused(reason, userId)
  }

  return {
    noteRefused,
    prove: async (actor, attempt) => {
      try {
        const { id, ...entered } = await retrying(() => once(actor, attempt))
        users.forget(id)
        const user = await users.find(id)
        if (!user) throw refused('account_ended', id)
        return { user, amr: ['fed'], ...entered }
      } catch (given) {
        // The organization went meanwhile.
        const error = given instanceof Problem && given.code === 'not_found' ? new Problem('connection_gone', { cause: given }) : given
        const { reason, userId } = reasonOf(error)
        await change(actor, async (_tx, record) => record('sign_in.refused', { ...toldOf(attempt.connection, userId), reason }, { outcome: 'refused' }))
        throw error
      }
    },
  }
}

// Whose provider it is may read of whom it let in; of whom it did not the system alone, for that tells of accounts.
const ofOrganization = ({ organizationId }: Connection) => (organizationId === undefined ? {} : { organizationId })
const toldOf = ({ id, connector }: Connection, userId?: string) => ({ id: userId, method: connector, connection_id: id })

// An attempt that a bug of ours ended was one all the same.
const reasonOf = (error: unknown): Refusal => {
  if (!(error instanceof Problem)) return new Refusal('internal')
  return error.cause instanceof Refusal ? error.cause : new Refusal(error.code)
}

// What another did at the same moment is found at the next look.
const retrying = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  for (let left = maxTries; ; left -= 1) {
    try {
      return await work()
    } catch (error) {
      const isOvertaken = error instanceof Problem && (error.code === 'conflict' || error.code === 'email_taken')
      if (!isOvertaken) throw error
      if (left <= 1) throw new Problem('busy', { cause: error })
    }
  }
}

const shownName = mailedName(200)

// Names of strangers are shown to others: what we would not take of a form is left out.
const shownOf = ({ name, picture }: UpstreamIdentity) => {
  const shown = shownName.safeParse(name)
  return { ...(shown.success ? { name: shown.data } : {}), ...(picture === undefined ? {} : { picture }) }
}
