// A token comes with its grant and the session that it ends with: those that live, and in the statement that finds it.
import test from 'ava'
import * as client from 'openid-client'
import pg from 'pg'
import { type Payload, toArtifact } from '../../src/oidc/artifact.ts'
import { createPostgresArtifacts } from '../../src/oidc/artifacts-postgres.ts'
import { makeClient } from '../support/clients.ts'
import { openTestDatabase } from '../support/database.ts'
import { startServer } from '../support/server.ts'

const names: string[] = []
const send = pg.Client.prototype.query
// Connections take the function when they are made, so it stands there before the first.
pg.Client.prototype.query = function (this: pg.Client, ...query: unknown[]) {
  const [first] = query as [{ name?: string } | undefined]
  if (first?.name) names.push(first.name)
  return (send as (...query: unknown[]) => unknown).apply(this, query)
} as typeof send
test.after.always(() => {
  pg.Client.prototype.query = send
})

test('a token is found with its grant and its session, and without those that ended', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  const store = createPostgresArtifacts(database)
  const keep = (kind: string, id: string, payload: Payload) => store.put(toArtifact(kind, { id, payload, expiresIn: 60 }))
  const rowOf = async (id: string, sid: string) =>
    database.run({ name: 'test-session', text: `INSERT INTO oidc_artifacts (key, kind, payload, uid) VALUES ($1, 'Session', $2, $3)` }, [
      Buffer.from(id),
      JSON.stringify({ uid: sid, row: id }),
      sid,
    ])
  await keep('Grant', 'g', { accountId: 'a', clientId: 'c', rejected: {} })
  for (const id of ['first', 'second']) await rowOf(id, 's')
  await keep('AccessToken', 'bound', { grantId: 'g', sessionUid: 's', expiresWithSession: true })
  await keep('RefreshToken', 'offline', { grantId: 'g', sessionUid: 's' })
  await keep('AccessToken', 'orphan', { grantId: 'nowhere' })
  await keep('ClientCredentials', 'own', {})

  const bound = await store.find('AccessToken', 'bound')
  t.like(bound?.leadsTo?.grant, { payload: { accountId: 'a', clientId: 'c' }, isConsumed: false })
  t.deepEqual(
    bound?.leadsTo?.sessions.map(({ row }) => row),
    ['first', 'second'],
  )
  t.like((await store.find('RefreshToken', 'offline'))?.leadsTo, { grant: { payload: { accountId: 'a' } }, sessions: [] })
  t.deepEqual((await store.find('AccessToken', 'orphan'))?.leadsTo, { grant: undefined, sessions: [] })
  t.is((await store.find('ClientCredentials', 'own'))?.leadsTo, undefined)
  t.is((await store.find('Grant', 'g'))?.leadsTo, undefined)

  await store.revokeGrant('g')
  t.is((await store.find('AccessToken', 'bound'))?.leadsTo?.grant, undefined)
})

test('userinfo and introspection ask for a token, its session and its grant in one statement', async t => {
  const server = await startServer()
  t.teardown(() => server.close())
  const { configuration, signIn } = await makeClient(server)
  const { tokens } = await signIn()
  names.length = 0
  await client.fetchUserInfo(configuration, tokens.access_token, client.skipSubjectCheck)
  t.true((await client.tokenIntrospection(configuration, tokens.access_token)).active)
  t.deepEqual(
    names.filter(name => name.startsWith('artifact-')),
    ['artifact-find', 'artifact-find'],
  )
})
