// Writes with `If-Match`: done on the version that is named, and else not at all.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { openApi } from '../../../src/api/openapi.ts'
import { systemActor } from '../../../src/platform/actor.ts'
import { makeAdmin, startApi, type TestApi } from '../../support/api.ts'
import { makeOrganization } from '../../support/organization.ts'
import { type Kind, kindsOf, type Versioned } from '../../support/versioned.ts'

let api: TestApi
let admin: string
let kinds: Readonly<Record<string, Kind>>
test.before(async () => {
  api = await startApi()
  admin = await makeAdmin(api)
  kinds = await kindsOf(api)
})
test.after.always(() => api?.close())

const get = ({ token, at }: Versioned) => api.ask(`GET ${at}`, { token })
const etagOf = async (thing: Versioned) => String((await get(thing)).headers.etag)
const write = ({ token, at }: Versioned, { operation, body }: { operation: string; body?: object }, match: string) => {
  const [method, suffix = ''] = operation.split(' ')
  return api.ask(`${method} ${at}${suffix}`, { token, body, headers: { 'if-match': match } })
}

test('a write of what is not as it was read is refused and changes nothing, and of what is as it was read is done', async t => {
  for (const [path, { make, writes }] of Object.entries(kinds))
    for (const one of writes) {
      const name = `${one.operation} of ${path}`
      const thing = await make()
      const before = await get(thing)
      for (const match of ['"nope"', 'W/"nope"', '"nope", "neither"', '']) {
        const refused = await write(thing, one, match)
        t.deepEqual([refused.status, refused.error?.type], [412, 'PRECONDITION_FAILED'], `${name} with ${match}`)
      }
      t.deepEqual((await get(thing)).data, before.data, name)
      t.is((await write(thing, one, `"nope", ${before.headers.etag}`)).status, 200, name)
    }
})

test('a change of nothing is refused as one is', async t => {
  const { base, owner } = await makeOrganization(api)
  const role = { token: owner.token, at: `${base}/roles/owner` }
  const nothing = { operation: 'PATCH', body: {} }
  t.is((await write(role, nothing, '"nope"')).status, 412)
  t.is((await write(role, nothing, await etagOf(role))).status, 200)
})

test('a write of whatever is there is done', async t => {
  for (const [path, { make, writes }] of Object.entries(kinds))
    for (const one of writes) t.is((await write(await make(), one, '*')).status, 200, `${one.operation} of ${path}`)
})

for (const path of ['/users/:id', '/organizations/:id', '/clients/:id'])
  test(`of a change and a deletion of ${path} that were made on one version, one is done`, async t => {
    const kind = kinds[path]
    if (!kind) return t.fail()
    for (let round = 0; round < 5; round += 1) {
      const thing = await kind.make()
      const etag = await etagOf(thing)
      const replies = await Promise.all(kind.writes.filter(({ operation }) => !operation.startsWith('POST')).map(one => write(thing, one, etag)))
      const [changed, deleted] = replies.map(({ status }) => status)
      // What was deleted first is not found.
      t.true((changed === 200 && deleted === 412) || (changed === 404 && deleted === 200), `${changed} and ${deleted}`)
    }
  })

test('a write that compares nothing is refused with any version, before anything is done', async t => {
  const { base, member, owner } = await makeOrganization(api)
  const { token } = owner
  const made = await api.ask('POST /users/me/agents', { token, body: { name: 'Acme Helper', redirect_uris: ['https://one.example/cb'] } })
  const { data: client } = await api.ask('POST /clients', { token: admin, body: { name: 'One', redirect_uris: ['https://one.example/cb'] } })
  const gone = await api.signIn()
  await api.server.services.userAdministration.remove(systemActor, gone.id as never)
  const writes: readonly [string, { token: string; body?: object; isDone: number }][] = [
    [`PATCH ${base}/members/${member.id}/role`, { token, body: { role: 'admin' }, isDone: 200 }],
    [`PATCH /users/me/agents/${made.data.agent.id}`, { token, body: { name: 'Acme Other' }, isDone: 200 }],
    [`DELETE /users/me/agents/${made.data.agent.id}`, { token, isDone: 200 }],
    [`POST /clients/${client.client.id}/secrets`, { token: admin, body: {}, isDone: 201 }],
    [`POST /users/${gone.id}/restore`, { token: admin, isDone: 200 }],
    [`DELETE ${base}/members/${member.id}`, { token, isDone: 200 }],
    ['POST /organizations', { token, body: { name: 'Works' }, isDone: 201 }],
  ]
  const told = async () => [(await api.ask(`GET ${base}/members`, { token })).data, (await api.ask('GET /users/me/agents', { token })).data]
  const before = await told()
  for (const [operation, { isDone: _, ...asked }] of writes) {
    const { headers } = await api.ask(operation.startsWith('POST') ? 'GET /users/me' : `GET ${base}`, { token })
    for (const match of ['"nope"', String(headers.etag), 'W/"nope"', '']) {
      const refused = await api.ask(operation, { ...asked, headers: { 'if-match': match } })
      t.deepEqual([refused.status, refused.error?.type], [412, 'PRECONDITION_FAILED'], `${operation} with ${match}`)
    }
  }
  t.deepEqual(await told(), before)
  for (const [operation, { isDone, ...asked }] of writes) t.is((await api.ask(operation, { ...asked, headers: { 'if-match': '*' } })).status, isDone, operation)
})

test('who may not do it, and what is not valid, is told before what is not compared', async t => {
  const { base, member } = await makeOrganization(api)
  const headers = { 'if-match': '"nope"' }
  t.is((await api.ask(`PATCH ${base}/members/${member.id}/role`, { token: member.token, body: { role: 'owner' }, headers })).status, 403)
  t.is((await api.ask('POST /organizations', { token: admin, body: {}, headers })).status, 400)
  t.is((await api.ask('POST /organizations', { body: { name: 'Works' }, headers })).status, 401)
})

test('what was done once is told again, whatever became of the version', async t => {
  const user = await kinds['/users/:id']?.make()
  if (!user) return t.fail()
  const once = { 'idempotency-key': randomUUID(), 'if-match': await etagOf(user) }
  const deleted = () => api.ask(`DELETE ${user.at}`, { token: admin, headers: once })
  t.is((await deleted()).status, 200)
  const again = await deleted()
  t.deepEqual([again.status, again.headers['idempotency-replayed']], [200, 'true'])
  const key = { 'idempotency-key': randomUUID() }
  const made = (headers: object) => api.ask('POST /organizations', { token: admin, body: { name: 'Works' }, headers: { ...key, ...headers } })
  t.is((await made({ 'if-match': '"nope"' })).status, 412)
  t.is((await made({})).status, 201)
  t.is((await made({ 'if-match': '"nope"' })).status, 201)
})

test('the document says which writes compare, and that any may be refused', t => {
  const { paths } = openApi({ routes: api.server.app.api.routes, issuer: api.server.issuer })
  const writes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, told]) =>
      method === 'get' ? [] : [{ name: `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`, told }],
    ),
  )
  const comparing = Object.entries(kinds).flatMap(([path, { writes }]) => writes.map(({ operation }) => operation.replace(/^(\w+) ?/, `$1 ${path}`)))
  const told = writes.flatMap(({ name, told: { parameters } }) => (JSON.stringify(parameters).includes('"If-Match"') ? [name] : []))
  // Of a passkey the answers that made or changed it tell the version.
  t.deepEqual(told.toSorted(), [...comparing, 'PATCH /users/me/passkeys/:id'].toSorted())
  for (const { name, told } of writes) t.true('412' in (told.responses as object), name)
})

test('a read under If-Match is answered while it is of that version, and else refused', async t => {
  const thing = await Object.values(kinds)[0]?.make()
  if (!thing) return t.fail('there is none')
  const tag = await etagOf(thing)
  const read = (match: string) => api.ask(`GET ${thing.at}`, { token: thing.token, headers: { 'if-match': match } })
  t.is((await read(tag)).status, 200)
  t.is((await read('*')).status, 200)
  const refused = await read('"nope"')
  t.deepEqual([refused.status, refused.error?.type, refused.data], [412, 'PRECONDITION_FAILED', null])
})
