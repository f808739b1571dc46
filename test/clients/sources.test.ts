// Whose word a client is, as its administrators see it, and what they may change of one that speaks for itself.
import test from 'ava'
import { makeAdmin, startApi, type TestApi } from '../support/api.ts'

let api: TestApi
let admin: string
test.before(async () => {
  api = await startApi()
  admin = await makeAdmin(api)
})
test.after.always(() => api?.close())

const asAdmin = (operation: string, body?: unknown) => api.ask(operation, { token: admin, body })
const kept = { tokenEndpointAuthMethod: 'none', grantTypes: ['authorization_code'], responseTypes: ['code'], redirectUris: ['http://127.0.0.1/cb'] }
const make = (source: 'open' | 'document', clientId: string) =>
  api.server.resources.database.prisma.client.create({ data: { clientId, source, name: 'Says so', postLogoutRedirectUris: [], ...kept } })
const fields = (reply: Awaited<ReturnType<typeof asAdmin>>) => reply.error?.details.fields?.map(({ path }) => path)

test('a client is listed with whose word it is', async t => {
  const row = await make('document', 'https://listed.example.com/client.json')
  t.is((await asAdmin(`GET /clients/${row.id}`)).data.source, 'document')
  const made = await asAdmin('POST /clients', { name: 'Ours', redirect_uris: ['https://app.example/cb'] })
  t.is(made.data.client.source, 'operator')
})

test('a client that a document tells of can be disabled, enabled and deleted, and nothing else', async t => {
  const row = await make('document', 'https://changed.example.com/client.json')
  for (const change of [
    { name: 'Ours' },
    { first_party: true },
    { redirect_uris: ['https://evil.example/'] },
    { disabled: true, name: 'x' },
    { branding: {} },
  ]) {
    const reply = await asAdmin(`PATCH /clients/${row.id}`, change)
    t.is(reply.status, 400, JSON.stringify(change))
    t.deepEqual(fields(reply), [''])
  }
  t.true((await asAdmin(`PATCH /clients/${row.id}`, { disabled: true })).data.disabled)
  t.false((await asAdmin(`PATCH /clients/${row.id}`, { disabled: false })).data.disabled)
  t.is((await asAdmin(`POST /clients/${row.id}/secrets`, {})).status, 409)
  t.is((await asAdmin(`DELETE /clients/${row.id}`)).status, 200)
})

test('a client that anybody registered is not made the operator’s own, but may be given a better name', async t => {
  const row = await make('open', 'registered-by-anybody')
  t.deepEqual(fields(await asAdmin(`PATCH /clients/${row.id}`, { first_party: true })), ['first_party'])
  t.is((await asAdmin(`PATCH /clients/${row.id}`, { name: 'A better name' })).data.name, 'A better name')
})

test('a public client that comes back to the loopback alone is a native one, unless it says otherwise', async t => {
  const cases = [
    [{ redirect_uris: ['http://127.0.0.1/cb', 'http://[::1]/cb', 'http://localhost/cb'] }, 'native'],
    [{ redirect_uris: ['http://127.0.0.1/cb'], metadata: { application_type: 'web' } }, 'web'],
    [{ redirect_uris: ['http://127.0.0.1/cb', 'https://app.example/cb'] }, undefined],
    [{ redirect_uris: ['http://127.0.0.1/cb'], token_endpoint_auth_method: 'client_secret_basic' }, undefined],
  ] as const
  for (const [changes, type] of cases) {
    const { data } = await asAdmin('POST /clients', { name: 'App', token_endpoint_auth_method: 'none', ...changes })
    t.is(data.client.metadata.application_type, type)
  }
})
