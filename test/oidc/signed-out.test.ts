// Signing out is final: a request that was under way cannot bring the session back.
import { randomBytes, randomUUID } from 'node:crypto'
import test from 'ava'
import { createPostgresArtifacts } from '../../src/oidc/artifacts-postgres.ts'
import { createEndings } from '../../src/oidc/endings.ts'
import { createSessionArtifacts } from '../../src/oidc/session-artifacts.ts'
import type { Database } from '../../src/platform/data/database.ts'
import { createQueue } from '../../src/platform/jobs/queue.ts'
import { createSecrets, hashOf } from '../../src/platform/secrets.ts'
import { openTestDatabase } from '../support/database.ts'
import { testSecretKey } from '../support/demo-filling.ts'

const endingsOf = (database: Database) =>
  createEndings({ queue: createQueue({ database, secrets: createSecrets({ secretKey: testSecretKey, randomBytes }), newId: randomUUID }) })
const nothing = async () => undefined
const session = (uid: string) => ({ kind: 'Session', uid, exp: Math.floor(Date.now() / 1000) + 3600, iat: Math.floor(Date.now() / 1000) })

test('signing out ends the session’s row first, of everybody signed in with it, and then what is left', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  const durable = createPostgresArtifacts(database)
  const told: string[] = []
  const onSignedOut = async ({ uid, accountId }: { uid: string; accountId: string }) => {
    const [row] = (await database.pool.query('SELECT count(*)::int AS living FROM oidc_artifacts WHERE uid = $1 AND revoked_at IS NULL', [uid])).rows
    told.push(`${accountId}: ${row.living}`)
    if (accountId === 'second-person') throw new Error('the connection is gone')
  }
  const sessions = createSessionArtifacts({
    database,
    durable,
    endings: endingsOf(database),
    findDeviceId: () => undefined,
    findLanguage: () => 'en',
    onSignedIn: nothing,
    onExtended: nothing,
    onSignedOut,
  })
  const signedIn = (accountId: string) => ({ ...session('browser-1'), accountId, loginTs: Math.floor(Date.now() / 1000) })
  for (const [sid, accountId] of [
    ['first', 'first-person'],
    ['second', 'second-person'],
  ] as const)
    await database.pool.query(
      "INSERT INTO oidc_artifacts (key, kind, payload, account_id, uid, expires_at) VALUES ($1, 'Session', $2, $3, 'browser-1', now() + interval '1 hour')",
      [hashOf('Session', sid), JSON.stringify(signedIn(accountId)), accountId],
    )
  await t.throwsAsync(sessions.destroy('first'))
  t.true(told.includes('second-person: 2'), told.join())
  t.truthy(await sessions.find('first'), 'what failed can be done again')
})

test('a session that was ended is not saved again, neither under its own id nor under a new one', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  const durable = createPostgresArtifacts(database)
  const sessions = createSessionArtifacts({
    database,
    durable,
    endings: endingsOf(database),
    findDeviceId: () => undefined,
    findLanguage: () => 'en',
    onSignedIn: nothing,
    onExtended: nothing,
    onSignedOut: nothing,
  })
  await sessions.upsert('first', session('browser-1'), 3600)
  await sessions.upsert('second', session('browser-1'), 3600)
  await sessions.upsert('other', session('browser-2'), 3600)
  t.truthy(await sessions.find('first'))

  await sessions.destroy('first')
  await Promise.all(['first', 'second', 'third'].map(id => sessions.upsert(id, session('browser-1'), 3600)))

  for (const id of ['first', 'second', 'third']) t.is(await sessions.find(id), undefined, id)
  t.is(await sessions.findByUid('browser-1'), undefined)
  t.truthy(await sessions.find('other'))
})
