// What all services stand on: changes and their events, limits, jobs, mail, challenges.
import { fileURLToPath } from 'node:url'
import { refusalEvents } from './api/refusals.ts'
import { apiKeyEvents } from './api-keys/api-key.ts'
import { authenticationEvents } from './authentication/authentication.ts'
import { backupEvents } from './backup/backup.ts'
import { createChallenges } from './challenges/challenges.ts'
import { clientEvents } from './clients/client.ts'
import { resourceServerEvents } from './clients/resource-server.ts'
import type { Config } from './config.ts'
import { connectorEvents } from './connectors/connection.ts'
import { createEventCounts } from './event-counts.ts'
import { createMails } from './mails/mails.ts'
import { createNotices } from './mails/notices.ts'
import { mfaEvents } from './mfa/authenticator.ts'
import { backchannelEvents } from './oidc/backchannel-request.ts'
import { consentEvents } from './oidc/consents.ts'
import { createEndings } from './oidc/endings.ts'
import { exchangeEvents } from './oidc/exchange.ts'
import { interactionEvents } from './oidc/interaction.ts'
import { signingKeyEvents } from './oidc/signing-key.ts'
import { invitationEvents } from './organizations/invitation.ts'
import { organizationEvents } from './organizations/organization.ts'
import { roleEvents } from './organizations/role.ts'
import { createChange } from './platform/data/change.ts'
import { createChangeFeed } from './platform/data/change-feed.ts'
import { chainStarted } from './platform/data/event-chain.ts'
import { resealEvents } from './platform/data/reseal.ts'
import { createOnce } from './platform/http/idempotency.ts'
import { createLimits } from './platform/http/limit.ts'
import { createLists } from './platform/http/list.ts'
import { createOutbound, type MakeOutboundFetch } from './platform/http/outbound.ts'
import { createJobAdministration, jobEvents } from './platform/jobs/administration.ts'
import { createQueue } from './platform/jobs/queue.ts'
import { createLanguages } from './platform/languages.ts'
import { toldFetch } from './platform/tracing/fetch.ts'
import { createUuids } from './platform/uuid.ts'
import type { Resources } from './resources.ts'
import { createEndSessionsOfIdentities } from './sessions/endings.ts'
import { sessionEvents } from './sessions/session.ts'
import { userEvents } from './users/user.ts'
import { fanOut } from './webhooks/fan-out.ts'
import { webhookEvents } from './webhooks/webhook.ts'

/** What all services stand on. */
export type Foundation = ReturnType<typeof createFoundation>

const languagesDirectory = fileURLToPath(new URL('../views/languages', import.meta.url))

const events = {
  ...userEvents,
  ...authenticationEvents,
  ...organizationEvents,
  ...invitationEvents,
  ...roleEvents,
  ...clientEvents,
  ...resourceServerEvents,
  ...signingKeyEvents,
  ...interactionEvents,
  ...consentEvents,
  ...backchannelEvents,
  ...exchangeEvents,
  ...refusalEvents,
  ...sessionEvents,
  ...apiKeyEvents,
  ...mfaEvents,
  ...jobEvents,
  ...backupEvents,
  ...connectorEvents,
  ...webhookEvents,
  ...resealEvents,
}

/** What an event may be called. */
export const eventNames: readonly string[] = [...Object.keys(events), chainStarted]

/** Makes it over what is open. */
export const createFoundation = (
  { database, redis, mailer, secrets, metrics, now, randomBytes, reroute = guarded => guarded }: Resources,
  { environment, issuer, outboundAllowed }: Pick<Config, 'environment' | 'issuer' | 'outboundAllowed'>,
) => {
  const uuids = createUuids(randomBytes)
  const newUuid = () => uuids(now())
  const feed = createChangeFeed({ database, now })
  const onCommitted = metrics && createEventCounts(metrics)
  const change = createChange({ database, events, secrets, now, newUuid, feed, outbox: fanOut, onCommitted })
  const limit = createLimits({ database, redis })
  const queue = createQueue({ database, secrets, newId: newUuid })
  const endings = createEndings({ queue })
  const isMailPossible = mailer !== undefined
  const mails = createMails({ queue })
  const notify = createNotices({ mails, isPossible: isMailPossible, issuer, now })
  const outbound = createOutbound({ isLoopbackAllowed: environment !== 'production', allowed: outboundAllowed })
  const challenges = createChallenges({ database, secrets, randomBytes, newId: newUuid, now })
  return {
    newUuid,
    feed,
    change,
    eventNames,
    limit,
    queue,
    endings,
    endSessionsOfIdentities: createEndSessionsOfIdentities(endings.ofIdentities),
    isMailPossible,
    mails,
    notify,
    challenges,
    jobAdministration: createJobAdministration({ database, change }),
    languages: createLanguages({ directory: languagesDirectory }),
    lists: createLists(secrets),
    once: createOnce({ database, secrets }),
    /** The one way out: every fetch of the server is made by it. */
    outbound: (options => toldFetch(reroute(outbound(options)))) satisfies MakeOutboundFetch,
  }
}
