// What is done again and again beside requests: purging what expired, signing where the audit log stands. Safe in any number of processes at once.

import { purgeChallenges } from './challenges/challenges.ts'
import { purgeUnusedClients } from './clients/unused.ts'
import { purgeVoidSecrets } from './clients/void-secrets.ts'
import { purgeAcceptedAssertions } from './connectors/accepted-assertions.ts'
import { purgeUpstreamRequests } from './connectors/upstream-requests.ts'
import { createForget } from './forgetting.ts'
import { purgeImageAddresses, purgeImages } from './images/purge.ts'
import { purgeAuthenticators } from './mfa/authenticators.ts'
import { purgePasskeyChallenges } from './mfa/passkey-challenges.ts'
import { purgeSignInTickets } from './mfa/tickets.ts'
import { createPostgresArtifacts } from './oidc/artifacts-postgres.ts'
import { purgeBackchannelRequests } from './oidc/backchannel-requests.ts'
import { purgePolls } from './oidc/pacing.ts'
import type { Engine } from './oidc/provider.ts'
import { purgeSigningKeys } from './oidc/signing-keys.ts'
import { purgeInvitations } from './organizations/invitations.ts'
import { systemActor } from './platform/actor.ts'
import { type ChangeFeed, purgeChangedTargets } from './platform/data/change-feed.ts'
import { type Purge, purgeInTurn } from './platform/data/purge.ts'
import { purgeIdempotencyKeys } from './platform/http/idempotency.ts'
import { purgeRateLimits } from './platform/http/limit.ts'
import { purgeJobs } from './platform/jobs/queue.ts'
import type { Resources } from './resources.ts'
import type { Services } from './services.ts'
import { purgeDevices } from './sessions/devices.ts'
import { purgeSessions } from './sessions/sessions.ts'
import { purgeWebhookDeliveries } from './webhooks/line.ts'

const everyMilliseconds = 60_000
const batch = 500
const maxBatches = 20
// Half of the time: the other half is for the requests.
const purgeMilliseconds = 30_000
const forgetEveryMilliseconds = 900_000
const vacuumEveryMilliseconds = 3_600_000
const checkpointEveryMilliseconds = 10_000
const domainsEveryMilliseconds = 300_000
const domainBatch = 50
// They are told of by the feed: this is for what it missed.
const keyCheckMilliseconds = 30_000
const hearMilliseconds = 500

const purges: readonly Purge[] = [
  purgeRateLimits,
  purgeAcceptedAssertions,
  purgeUpstreamRequests,
  purgeIdempotencyKeys,
  purgeSessions,
  purgeDevices,
  purgeChallenges,
  purgePasskeyChallenges,
  purgeSignInTickets,
  purgeAuthenticators,
  purgeInvitations,
  purgeBackchannelRequests,
  purgePolls,
  purgeJobs,
  purgeUnusedClients,
  purgeImageAddresses,
  purgeImages,
  purgeVoidSecrets,
  purgeWebhookDeliveries,
  purgeSigningKeys,
  purgeChangedTargets,
]

/** Runs work now and then; a failure is logged and tried again at the next turn. Answers what stops it, which waits for a turn under way. */
export const repeat = (
  name: string,
  work: () => Promise<unknown>,
  { milliseconds, log }: { milliseconds: number; log: Resources['log'] },
): (() => Promise<void>) => {
  let turn: Promise<unknown> = Promise.resolve()
  let isBusy = false
  const run = async () => {
    isBusy = true
    try {
      await work()
    } catch (error) {
      log.warn({ err: error }, `${name} failed and will be tried again`)
    } finally {
      isBusy = false
    }
  }
  const timer = setInterval(() => {
    if (!isBusy) turn = run()
  }, milliseconds)
  return async () => {
    clearInterval(timer)
    await turn
  }
}

/** Purges expired artifacts, rate limits and sessions until told to stop. */
const startPurging = ({ database, log }: Resources): (() => Promise<void>) => {
  const artifacts = createPostgresArtifacts(database)
  let isStopped = false
  const purge = async () => {
    const all: readonly Purge[] = [(_database, limit) => artifacts.purge(limit), ...purges]
    await purgeInTurn(database, all, { batch, milliseconds: purgeMilliseconds, isStopped: () => isStopped })
  }
  const stop = repeat('purging what expired', purge, { milliseconds: everyMilliseconds, log })
  return () => {
    isStopped = true
    return stop()
  }
}

/** Ends the sessions that expired and asks for their clients to be told, until told to stop. */
const startEndingSessions = ({ database, log }: Resources, { endings }: Pick<Services, 'endings'>): (() => Promise<void>) => {
  const end = async () => {
    for (let round = 0; round < maxBatches && (await database.transact(tx => endings.ofExpired(tx, batch))) === batch; round += 1);
  }
  return repeat('ending sessions that expired', end, { milliseconds: everyMilliseconds, log })
}

/** Takes over signing keys that another process made as soon as they are told of, until told to stop; looks by itself where that once failed. */
const startLookingForKeys = (
  { log }: Pick<Resources, 'log'>,
  { feed }: { readonly feed: Pick<ChangeFeed, 'on'> },
  { refresh }: Pick<Engine, 'refresh'>,
): (() => Promise<void>) => {
  const look = () => refresh().catch(error => log.warn({ err: error }, 'looking for new signing keys failed and will be tried again'))
  const leave = feed.on(['signing_key'], look)
  const stop = repeat('looking for new signing keys', refresh, { milliseconds: keyCheckMilliseconds, log })
  return async () => {
    leave()
    await stop()
  }
}

/** Lets the caches hear of what other processes change, until told to stop. While it fails, they remember nothing for more than a second. */
const startHearing = ({ database, log }: Pick<Resources, 'database' | 'log'>, { feed }: { readonly feed: Pick<ChangeFeed, 'look'> }): (() => Promise<void>) => {
  let isOut = false
  const look = async () => {
    try {
      await feed.look()
      isOut = false
    } catch (error) {
      if (!isOut) log.warn({ err: error }, 'what other processes change cannot be heard of')
      isOut = true
    }
  }
  return database.embedded ? async () => undefined : repeat('hearing of changes', look, { milliseconds: hearMilliseconds, log })
}

/** Rotates the keys that are as old as keys become, until told to stop. */
const startRotatingKeys = ({ log }: Pick<Resources, 'log'>, { signingKeys }: Pick<Services, 'signingKeys'>): (() => Promise<void>) =>
  repeat('rotating the signing keys', () => signingKeys.rotateDue(systemActor), { milliseconds: everyMilliseconds, log })

/** Forgets for good what was deleted 30 days ago, until told to stop. */
const startForgetting = ({ log }: Pick<Resources, 'log'>, services: Services): (() => Promise<void>) =>
  repeat('forgetting what was deleted long ago', createForget({ log }, services), { milliseconds: forgetEveryMilliseconds, log })

/** The embedded database has nobody who cleans up after its deletes: done here, once an hour. */
export const startVacuum = ({ database, log }: Resources): (() => Promise<void>) => {
  const vacuum = async () => {
    if (database.embedded) await database.unwatched(() => database.pool.query('VACUUM (ANALYZE)'))
  }
  return repeat('cleaning up the embedded database', vacuum, { milliseconds: vacuumEveryMilliseconds, log })
}

/** Signs checkpoints of the audit log as they fall due, until told to stop. */
const startCheckpoints = ({ log }: Pick<Resources, 'log'>, { checkpoints }: Pick<Services, 'checkpoints'>): (() => Promise<void>) =>
  repeat('signing checkpoints of the audit log', checkpoints.make, { milliseconds: checkpointEveryMilliseconds, log })

/** Looks again at the domains that organizations proved, until told to stop. */
const startRecheckingDomains = ({ log }: Pick<Resources, 'log'>, { recheckDomains }: Pick<Services, 'recheckDomains'>): (() => Promise<void>) =>
  repeat('looking at proven domains', () => recheckDomains(systemActor, domainBatch), { milliseconds: domainsEveryMilliseconds, log })

/** Starts what every process does now and then, one or several, with web pages or without. Answers what stops each. */
export const startTasks = (resources: Resources, services: Services): readonly (() => Promise<void>)[] => [
  startPurging(resources),
  startEndingSessions(resources, services),
  startForgetting(resources, services),
  startCheckpoints(resources, services),
  startRecheckingDomains(resources, services),
  startRotatingKeys(resources, services),
]

/** Starts learning of what other processes change: for as long as anything is answered or signed. Answers what stops it. */
export const startLearning = (resources: Resources, services: Services, engine: Engine): readonly (() => Promise<void>)[] => [
  startHearing(resources, services),
  startLookingForKeys(resources, services, engine),
]
