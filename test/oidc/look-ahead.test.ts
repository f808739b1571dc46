// A token comes with its grant and the session that it ends with: those that live, and in the statement that finds it.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import * as client from 'openid-client'
import pg from 'pg'
import { type Payload, toArtifact } from '../../src/oidc/artifact.ts'
import { createPostgresArtifacts, type PostgresArtifacts } from '../../src/oidc/artifacts-postgres.ts'
import { lookAhead } from '../../src/oidc/look-ahead.ts'
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

test.serial('a token is found with its grant and its session, and without those that ended', async t => {
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
  const grant = (id: string, sessionUid?: string) =>
    toArtifact('Grant', { id, payload: { accountId: 'a', clientId: 'c', sessionUid, rejected: {} }, expiresIn: 60 })
  await store.put(grant('g', 's'))
  await store.put(grant('of no session'))
  for (const id of ['first', 'second']) await rowOf(id, 's')
  // What a client asks for may hold what PostgreSQL's text cannot.
  await keep('AccessToken', 'bound', { grantId: 'g', claims: { userinfo: { '\0': null } } })
  await keep('RefreshToken', 'elsewhere', { grantId: 'of no session' })
  await keep('AccessToken', 'orphan', { grantId: 'nowhere' })
  await keep('ClientCredentials', 'own', {})

  const bound = await store.find('AccessToken', 'bound')
  t.like(bound?.leadsTo?.grant, { payload: { accountId: 'a', clientId: 'c' }, isConsumed: false })
  t.deepEqual([bound?.leadsTo?.session?.uid, bound?.leadsTo?.session?.rows.map(({ row }) => row)], ['s', ['first', 'second']])
  t.like((await store.find('RefreshToken', 'elsewhere'))?.leadsTo, { grant: { payload: { accountId: 'a' } }, session: undefined })
  t.deepEqual((await store.find('AccessToken', 'orphan'))?.leadsTo, { grant: undefined, session: undefined })
  t.is((await store.find('ClientCredentials', 'own'))?.leadsTo, undefined)
  t.is((await store.find('Grant', 'g'))?.leadsTo, undefined)

  await store.revokeGrant('g')
  t.is((await store.find('AccessToken', 'bound'))?.leadsTo?.grant, undefined)
})

test.serial('userinfo and introspection ask for a token, its session and its grant in one statement', async t => {
  const server = await startServer()
  t.teardown(() => server.close())
  // Granted without being asked, and by consent.
  for (const isFirstParty of [true, false]) {
    const { configuration, signIn } = await makeClient(server, { isFirstParty })
    const { tokens } = await signIn()
    names.length = 0
    await client.fetchUserInfo(configuration, tokens.access_token, client.skipSubjectCheck)
    t.true((await client.tokenIntrospection(configuration, tokens.access_token)).active)
    t.deepEqual(
      names.filter(name => name.startsWith('artifact-')),
      ['artifact-find', 'artifact-find'],
    )
  }
})

/** Stores that answer with whom they were asked for, and count it. */
const openAhead = ({ isTogether }: { isTogether: boolean }) => {
  const asked: string[] = []
  const grant = (id: string) => ({ payload: { is: id }, isConsumed: false })
  const find = async (kind: string, id: string) => {
    asked.push(`${kind} ${id}`)
    if (kind === 'Grant') return grant(id)
    // One token says another session than its grant does.
    const known = id === 'moved' ? 'another' : id
    const payload = { grantId: `grant of ${id}`, sessionUid: `session of ${id}`, expiresWithSession: true }
    return {
      payload,
      isConsumed: id === 'used',
      ...(isTogether ? { leadsTo: { grant: grant(`grant of ${id}`), session: { uid: `session of ${known}`, rows: [{ is: `session of ${known}` }] } } } : {}),
    }
  }
  const findSessions = async (uid: string) => {
    asked.push(`Session ${uid}`)
    return [{ is: uid }]
  }
  const nothing = async () => undefined
  const durable = { find, findSessions, put: nothing, putGrant: nothing, revokeGrant: nothing, revokeFamily: nothing } as unknown as PostgresArtifacts
  const state = {}
  return { asked, ...lookAhead({ durable, volatile: { ...durable }, stateOf: () => state }) }
}

test('what a token leads to is taken once, by its own name', async t => {
  const { durable, asked } = openAhead({ isTogether: true })
  await durable.find('AccessToken', 'a')
  t.like(await durable.find('Grant', 'grant of b'), { payload: { is: 'grant of b' } })
  t.like(await durable.find('Grant', 'grant of a'), { payload: { is: 'grant of a' } })
  t.like(await durable.findSessions('session of a'), [{ is: 'session of a' }])
  t.deepEqual(asked, ['AccessToken a', 'Grant grant of b'])
  await durable.find('Grant', 'grant of a')
  await durable.findSessions('session of a')
  t.deepEqual(asked.slice(2), ['Grant grant of a', 'Session session of a'])
})

test('of two tokens the last one is followed', async t => {
  const { durable, asked } = openAhead({ isTogether: true })
  await durable.find('AccessToken', 'a')
  await durable.find('RefreshToken', 'b')
  t.like(await durable.find('Grant', 'grant of a'), { payload: { is: 'grant of a' } })
  t.like(await durable.find('Grant', 'grant of b'), { payload: { is: 'grant of b' } })
  t.deepEqual(asked, ['AccessToken a', 'RefreshToken b', 'Grant grant of a'])
})

test('a grant is looked at again after the request changed something, and everything after a moment', async t => {
  const { durable, asked } = openAhead({ isTogether: true })
  for (const change of [() => durable.revokeGrant('a'), () => durable.revokeFamily('a'), () => durable.put({ kind: 'Grant', id: 'a', payload: {} })]) {
    await durable.find('AccessToken', 'a')
    await change()
    asked.length = 0
    await durable.find('Grant', 'grant of a')
    t.deepEqual(asked, ['Grant grant of a'])
  }
  await durable.find('AccessToken', 'a')
  await sleep(120)
  asked.length = 0
  await durable.find('Grant', 'grant of a')
  await durable.findSessions('session of a')
  t.deepEqual(asked, ['Grant grant of a', 'Session session of a'])
})

test('what a code in another store leads to is asked for at once, but not of one that was used', async t => {
  const { durable, volatile, asked } = openAhead({ isTogether: false })
  await volatile.find('AuthorizationCode', 'used')
  await volatile.find('Interaction', 'i')
  t.deepEqual(asked.splice(0), ['AuthorizationCode used', 'Interaction i'])
  await volatile.find('AuthorizationCode', 'a')
  t.deepEqual(asked.splice(0), ['AuthorizationCode a', 'Grant grant of a', 'Session session of a'])
  t.like(await durable.find('Grant', 'grant of a'), { payload: { is: 'grant of a' } })
  t.like(await durable.findSessions('session of a'), [{ is: 'session of a' }])
  t.deepEqual(asked, [])
})

test('a session that is not that of the token is not taken for it', async t => {
  const { durable, asked } = openAhead({ isTogether: true })
  await durable.find('AccessToken', 'moved')
  t.like(await durable.findSessions('session of moved'), [{ is: 'session of moved' }])
  t.deepEqual(asked, ['AccessToken moved', 'Session session of moved'])
})
