// Signing out is final: a request that was under way cannot bring the session back.
import test from 'ava'
import { createPostgresArtifacts } from '../../src/oidc/artifacts-postgres.ts'
import { createSessionArtifacts } from '../../src/oidc/session-artifacts.ts'
import { openTestDatabase } from '../support/database.ts'

const nothing = async () => undefined
const session = (uid: string) => ({ kind: 'Session', uid, exp: Math.floor(Date.now() / 1000) + 3600, iat: Math.floor(Date.now() / 1000) })

test('a session that was ended is not saved again, neither under its own id nor under a new one', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  const durable = createPostgresArtifacts(database)
  const sessions = createSessionArtifacts({ database, durable, onSignedIn: nothing, onExtended: nothing, onSignedOut: nothing })
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
