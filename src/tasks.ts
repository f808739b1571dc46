// What is done again and again beside requests: purging what expired, signing where the audit log stands. Safe in any number of processes at once.

import { purgeChallenges } from './challenges/challenges.ts'
import { purgeUnusedClients } from './clients/unused.ts'
import { purgeAcceptedAssertions } from './connectors/accepted-assertions.ts'
import { purgeUpstreamRequests } from './connectors/upstream-requests.ts'
import { purgeAuthenticators } from './mfa/authenticators.ts'
import { purgePasskeyChallenges } from './mfa/passkey-challenges.ts'
import { purgeSignInTickets } from './mfa/tickets.ts'
import { createPostgresArtifacts } from './oidc/artifacts-postgres.ts'
import { purgeBackchannelRequests } from './oidc/backchannel-requests.ts'
import { purgePolls } from './oidc/pacing.ts'
import type { Engine } from './oidc/provider.ts'
import { purgeInvitations } from './organizations/invitations.ts'
import { systemActor } from './platform/actor.ts'
import { type Database, statement } from './platform/data/database.ts'
import type { Purge } from './platform/data/purge.ts'
import { purgeIdempotencyKeys } from './platform/http/idempotency.ts'
import { purgeJobs } from './platform/jobs/queue.ts'
import type { Resources } from './resources.ts'
import type { Services } from './services.ts'
import { purgeDevices } from './sessions/devices.ts'
import { purgeSessions } from './sessions/sessions.ts'

const everyMilliseconds = 60_000
const batch = 500
const maxBatches = 20
const forgetEveryMilliseconds = 900_000
const forgetBatch = 100
const vacuumEveryMilliseconds = 3_600_000
const checkpointEveryMilliseconds = 10_000
const domainsEveryMilliseconds = 300_000
const domainBatch = 50
const keyCheckMilliseconds = 5000

const purges: readonly Purge[] = [
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
]

type Forgetful = Pick<Services, 'connectionAdministration' | 'clientAdministration' | 'resourceServerAdministration' | 'organizations' | 'userAdministration'>

const purgeLimits = statement('rate-limits-purge', 'DELETE FROM rate_limits WHERE expire < $1')

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
export const startPurging = ({ database, log, now }: Resources): (() => Promise<void>) => {
  const artifacts = createPostgresArtifacts(database)
  const purge = async () => {
    await database.run(purgeLimits, [now().getTime()])
    for (const one of [(_database: Database, limit: number) => artifacts.purge(limit), ...purges])
      for (let round = 0; round < maxBatches && (await one(database, batch)) === batch; round += 1);
  }
  return repeat('purging what expired', purge, { milliseconds: everyMilliseconds, log })
}

/** Ends the sessions that expired and asks for their clients to be told, until told to stop. */
export const startEndingSessions = ({ database, log }: Resources, { endings }: Pick<Services, 'endings'>): (() => Promise<void>) => {
  const end = async () => {
    for (let round = 0; round < maxBatches && (await database.prisma.$transaction(tx => endings.ofExpired(tx, batch))) === batch; round += 1);
  }
  return repeat('ending sessions that expired', end, { milliseconds: everyMilliseconds, log })
}

/** Takes over signing keys that another process made, until told to stop. */
export const startLookingForKeys = ({ log }: Pick<Resources, 'log'>, { refresh }: Pick<Engine, 'refresh'>): (() => Promise<void>) =>
  repeat('looking for new signing keys', refresh, { milliseconds: keyCheckMilliseconds, log })

/** Forgets for good what was deleted 30 days ago, until told to stop: clients and organizations before the people in them. */
export const startForgetting = ({ log }: Pick<Resources, 'log'>, services: Forgetful): (() => Promise<void>) => {
  const forget = async () => {
    for (const { purge } of [
      services.connectionAdministration,
      services.clientAdministration,
      services.resourceServerAdministration,
      services.organizations,
      services.userAdministration,
    ])
      for (let round = 0; round < maxBatches && (await purge(systemActor, forgetBatch)) === forgetBatch; round += 1);
  }
  return repeat('forgetting what was deleted long ago', forget, { milliseconds: forgetEveryMilliseconds, log })
}

/** The embedded database has nobody who cleans up after its deletes: done here, once an hour. */
export const startVacuum = ({ database, log }: Resources): (() => Promise<void>) => {
  const vacuum = async () => {
    if (database.embedded) await database.unwatched(() => database.pool.query('VACUUM (ANALYZE)'))
  }
  return repeat('cleaning up the embedded database', vacuum, { milliseconds: vacuumEveryMilliseconds, log })
}

/** Signs checkpoints of the audit log as they fall due, until told to stop. */
export const startCheckpoints = ({ log }: Pick<Resources, 'log'>, { checkpoints }: Pick<Services, 'checkpoints'>): (() => Promise<void>) =>
  repeat('signing checkpoints of the audit log', checkpoints.make, { milliseconds: checkpointEveryMilliseconds, log })

/** Looks again at the domains that organizations proved, until told to stop. */
export const startRecheckingDomains = ({ log }: Pick<Resources, 'log'>, { recheckDomains }: Pick<Services, 'recheckDomains'>): (() => Promise<void>) =>
  repeat('looking at proven domains', () => recheckDomains(systemActor, domainBatch), { milliseconds: domainsEveryMilliseconds, log })
