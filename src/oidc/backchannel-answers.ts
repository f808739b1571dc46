// A person's answer to a backchannel authentication request: approved or denied, once.
import type { FindAgentOwners } from '../clients/agent-owner.ts'
import type { FindLook } from '../clients/branding.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { Queue } from '../platform/jobs/queue.ts'
import { acrOf, askedAcr } from './acr.ts'
import { type Asked, type BackchannelRequest, pingClient } from './backchannel-request.ts'
import { type BackchannelRequests, isWaiting, scopesOf } from './backchannel-requests.ts'
import type { Demands } from './demands.ts'
import { isGateOpen, type NewGrant, putGrantIn, toNewGrant } from './grant-in-change.ts'
import type { Engine } from './provider.ts'

/** The session that somebody answers in. */
export interface AnsweringSession {
  readonly sid: string
  readonly amr: readonly string[]
  readonly authenticatedAt: Date
}

// What is answered makes room for the next.
const shownRequests = 20

/** A request of one's own. */
interface Own {
  readonly id: string
  readonly accountId: string
}

/** A request as its person sees it, with the client's logo on our own origin, and whose agent the client is. */
export type ShownRequest = BackchannelRequest & { readonly logoUrl?: string | undefined; readonly agentOf?: string | undefined }

/** The answers. */
export interface BackchannelAnswers {
  /** The first of what waits for a person. */
  list(accountId: string): Promise<readonly ShownRequest[]>
  countWaiting(accountId: string): Promise<number>
  /**
   * Grants exactly what was shown. Throws `request_gone` where it was answered, has expired or is another's, `reauthentication_required` where the
   * client wants a later sign-in (`max_age`), and `factor_required` where a second factor is demanded that the session does not have.
   */
  approve(actor: Actor, request: Own & { readonly session: AnsweringSession }): Promise<void>
  /** Throws `request_gone`. */
  deny(actor: Actor, request: Own): Promise<void>
}

interface Needs {
  readonly engine: Engine
  readonly change: Change
  readonly queue: Queue
  readonly demands: Demands
  readonly findLook: FindLook
  readonly findAgentOwners: FindAgentOwners
  readonly backchannelRequests: BackchannelRequests
  readonly now: () => Date
}

/** Makes the service. */
export const createBackchannelAnswers = ({
  engine,
  change,
  queue,
  demands,
  findLook,
  findAgentOwners,
  backchannelRequests,
  now,
}: Needs): BackchannelAnswers => {
  const find = async ({ id, accountId }: Own) => {
    const found = (await backchannelRequests.list(accountId)).find(request => request.id === id)
    if (!found) throw new Problem('request_gone')
    return found
  }
  const answer = async (tx: TransactionClient, decision: Decision) => {
    const { clientId, isPinged } = await decide(tx, decision)
    if (isPinged) await queue.add(tx, { kind: pingClient, payload: { id: decision.id } })
    return clientId
  }
  return {
    list: async accountId => {
      const requests = (await backchannelRequests.list(accountId)).slice(0, shownRequests)
      const owners = await findAgentOwners(requests.map(({ clientId }) => clientId))
      return Promise.all(
        requests.map(async request => ({
          ...request,
          agentOf: owners.get(request.clientId),
          logoUrl: (await findLook(request.clientId))?.clientLogoUrl,
        })),
      )
    },
    countWaiting: backchannelRequests.countWaiting,
    approve: async (actor, { id, accountId, session }) => {
      const { clientId, asked, createdAt } = await find({ id, accountId })
      const { amr, authenticatedAt } = session
      if (isTooOld(authenticatedAt, { maxAge: asked.params.max_age, createdAt, now: now() })) throw new Problem('reauthentication_required')
      const proven = { userId: accountId, amr, isSigningIn: false, clientId, params: asked.params }
      if ((await demands.next(proven)) !== undefined) throw new Problem('factor_required')
      const grant = await grantOf(engine, { accountId, clientId, asked })
      const authTime = Math.floor(Math.min(authenticatedAt.getTime(), now().getTime()) / 1000)
      const approved = { grant, acr: acrOf(amr, askedAcr(asked.params)), amr, authTime }
      await change(actor, async (tx, record) => {
        if (!(await isGateOpen(tx, { accountId, sid: session.sid, provenAt: authenticatedAt }))) throw new Problem('request_gone')
        await answer(tx, { id, accountId, approved })
        await putGrantIn(tx, grant)
        record('backchannel.approved', { id, client_id: clientId, scopes: scopesOf(asked) })
      })
    },
    deny: async (actor, { id, accountId }) => {
      const { asked } = await find({ id, accountId })
      await change(actor, async (tx, record) => {
        const clientId = await answer(tx, { id, accountId })
        record('backchannel.denied', { id, client_id: clientId, scopes: scopesOf(asked) }, { outcome: 'refused' })
      })
    },
  }
}

// A sign-in since it was asked is always recent enough, for it was made for it. A session knows the second of its sign-in.
const isTooOld = (authenticatedAt: Date, { maxAge, createdAt, now }: { maxAge: unknown; createdAt: Date; now: Date }): boolean =>
  maxAge !== undefined && authenticatedAt.getTime() < Math.min(now.getTime() - Number(maxAge) * 1000, Math.floor(createdAt.getTime() / 1000) * 1000)

const grantOf = async (engine: Engine, { accountId, clientId, asked }: { accountId: string; clientId: string; asked: Asked }): Promise<NewGrant> => {
  const provider = engine.current()
  const grant = new provider.Grant({ accountId, clientId })
  grant.isBackchannel = true
  grant.addOIDCScope(asked.scopes.join(' '))
  if (asked.claims.length > 0) grant.addOIDCClaims([...asked.claims])
  for (const [indicator, scopes] of Object.entries(asked.resources)) grant.addResourceScope(indicator, scopes.join(' '))
  return toNewGrant(provider, grant)
}

interface Decision extends Own {
  /** Absent: denied. */
  readonly approved?: { readonly grant: NewGrant; readonly acr: string; readonly amr: readonly string[]; readonly authTime: number }
}

const decideOnce = `
  UPDATE backchannel_requests r SET decision = $3, decided_at = now(), slot = NULL, grant_id = $4, acr = $5, amr = $6::text[], auth_time = $7::int
  FROM clients c WHERE r.id = $1::uuid AND r.account_id = $2::uuid AND c.client_id = r.client_id AND ${isWaiting}
  RETURNING r.client_id AS "clientId", r.sealed IS NOT NULL AS "isPinged"`

// Of any number of answers the first that finds the request undecided is the one.
const decide = async (tx: TransactionClient, { id, accountId, approved }: Decision): Promise<{ clientId: string; isPinged: boolean }> => {
  const { grant, acr = null, amr = [], authTime = null } = approved ?? {}
  const values = [id, accountId, approved ? 'approved' : 'denied', grant?.id ?? null, acr, [...amr], authTime]
  const [decided] = await tx.$queryRawUnsafe<{ clientId: string; isPinged: boolean }[]>(decideOnce, ...values)
  if (!decided) throw new Problem('request_gone')
  return decided
}
