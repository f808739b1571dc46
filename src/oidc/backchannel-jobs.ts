// What a backchannel authentication request asks to be done beside it: the mail to its person, and the notification of its client.

import { z } from 'zod'
import type { FindAgentOwners } from '../clients/agent-owner.ts'
import type { Clients } from '../clients/clients.ts'
import type { Mails } from '../mails/mails.ts'
import { type Database, statement } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { MakeLimit } from '../platform/http/limit.ts'
import { mailable } from '../platform/http/text.ts'
import { Hopeless, type JobHandler, jobHandler } from '../platform/jobs/job.ts'
import type { Secrets } from '../platform/secrets.ts'
import { pingClient, tellPerson } from './backchannel-request.ts'
import { isWaiting, sealContext } from './backchannel-requests.ts'

interface Needs {
  readonly database: Database
  readonly mails: Mails
  readonly clients: Clients
  readonly findAgentOwners: FindAgentOwners
  readonly secrets: Secrets
  readonly limit: MakeLimit
  /** The guarded fetch: endpoints are what others wrote down. */
  readonly fetch: typeof fetch
  readonly issuer: string
  readonly now: () => Date
}

interface Told {
  readonly userId: string
  readonly email: string
  readonly locale: string | null
  readonly clientName: string
  readonly clientId: string
  readonly organizationId: string | null
  readonly expiresAt: Date
}

const find = statement(
  'backchannel-told',
  `SELECT u.id AS "userId", u.email, u.locale, c.name AS "clientName", c.client_id AS "clientId", c.organization_id AS "organizationId", r.expires_at AS "expiresAt"
   FROM backchannel_requests r JOIN users u ON u.id = r.account_id JOIN clients c ON c.client_id = r.client_id
   WHERE r.id = $1::uuid AND u.deleted_at IS NULL AND u.suspended_at IS NULL AND ${isWaiting}`,
)

const findSealed = statement(
  'backchannel-sealed',
  `SELECT client_id AS "clientId", sealed FROM backchannel_requests WHERE id = $1::uuid AND decision IS NOT NULL AND expires_at > now()`,
)

const mailsAnHour = 10

/**
 * Makes the work of the mail. It leads to the page where the person answers: no address in it answers by itself, and what the client
 * says to the person (`binding_message`) stands on the page alone, for a mail would carry a stranger's words under our name. More than ten
 * in an hour are not sent, of the operator's own clients and of all organizations together; the page shows the rest.
 */
export const createTellHandler = ({ database, mails, findAgentOwners, limit, issuer, now }: Needs): JobHandler => {
  const byUser = limit('ciba:mail', { points: mailsAnHour, durationSeconds: 3600 })
  return jobHandler(tellPerson, async ({ id }) => {
    const [told] = await database.run<Told>(find, [id])
    if (!told || !(await isWithin(byUser.consume(told.organizationId === null ? `operator:${told.userId}` : told.userId)))) return
    const owner = (await findAgentOwners([told.clientId])).get(told.clientId)
    const minutes = Math.max(1, Math.ceil((told.expiresAt.getTime() - now().getTime()) / 60_000))
    await database.transact(async tx => {
      await mails.post(tx, {
        kind: 'approval_asked',
        to: told.email,
        locale: told.locale ?? undefined,
        values: { client: mailable(told.clientName, told.clientId), owner: mailable(owner, 'none'), minutes },
        url: `${issuer}/account/requests`,
      })
    })
  })
}

const isWithin = async (consumed: Promise<unknown>): Promise<boolean> => {
  try {
    await consumed
    return true
  } catch (error) {
    if (error instanceof Problem && error.code === 'too_many_attempts') return false
    throw error
  }
}

const sealedSchema = z.object({ authReqId: z.string(), notificationToken: z.string() })

/** Makes the work of the notification (CIBA Core §10.2): a client that is not there is tried again, one that refuses is not. */
export const createPingHandler = ({ database, clients, secrets, fetch }: Needs): JobHandler =>
  jobHandler(pingClient, async ({ id }) => {
    const [row] = await database.run<{ clientId: string; sealed: string | null }>(findSealed, [id])
    const endpoint = row && (await clients.find(row.clientId))?.metadata.backchannel_client_notification_endpoint
    if (!row?.sealed || typeof endpoint !== 'string') throw new Hopeless('there is nobody to notify any more')
    const { authReqId, notificationToken } = sealedSchema.parse(JSON.parse(secrets.unseal('artifact', row.sealed, sealContext(id))))
    const { status, body } = await fetch(endpoint, {
      method: 'POST',
      headers: { Authorization: `Bearer ${notificationToken}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ auth_req_id: authReqId }),
    })
    await body?.cancel()
    if (status === 204 || status === 200) return
    // Redirects are not followed; what is refused for good is the client's to mend.
    if (status >= 500 || status === 429 || status === 408) throw new Error(`the notification was answered ${status}`)
    throw new Hopeless(`the notification was answered ${status}`)
  })
