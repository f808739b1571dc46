// The policy of token exchange through the API: said by the operator alone, told as it is kept, and off unless it is said.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { makeAdmin, startApi, type TestApi } from '../support/api.ts'
import { basic } from '../support/calls.ts'
import { accessTokenType, exchangeGrant } from '../support/exchange.ts'
import { makeOrganization } from '../support/organization.ts'

let api: TestApi
let admin: string
test.before(async () => {
  api = await startApi()
  admin = await makeAdmin(api)
})
test.after.always(() => api?.close())

const asAdmin = (operation: string, body?: unknown) => api.ask(operation, { token: admin, body })
const exchanger = { name: 'Exchanger', grant_types: ['client_credentials', exchangeGrant] }
const policy = { allowed_clients: 'own', audiences: [{ identifier: 'https://api.example/', scopes: ['read'] }], may_impersonate: true, may_delegate: false }

test('a policy is told as it was said, a part of one with the rest off, and null ends it', async t => {
  const made = await asAdmin('POST /clients', { ...exchanger, token_exchange: policy })
  t.is(made.status, 201)
  const { id } = made.data.client
  t.deepEqual(made.data.client.token_exchange, policy)
  const part = await asAdmin(`PATCH /clients/${id}`, { token_exchange: { allowed_clients: ['a', 'b'] } })
  t.deepEqual(part.data.token_exchange, { allowed_clients: ['a', 'b'], audiences: [], may_impersonate: false, may_delegate: false })
  t.deepEqual((await asAdmin(`PATCH /clients/${id}`, { name: 'Other' })).data.token_exchange, part.data.token_exchange)
  t.is((await asAdmin(`PATCH /clients/${id}`, { token_exchange: null })).data.token_exchange, null)
  t.is((await asAdmin('POST /clients', exchanger)).data.client.token_exchange, null)
})

test('a client that lost its policy exchanges nothing a second later', async t => {
  const { client, secret } = (await asAdmin('POST /clients', { ...exchanger, token_exchange: policy })).data
  const form = { grant_type: exchangeGrant, subject_token: 'x', subject_token_type: accessTokenType }
  const errorOf = async () => (await api.calls.post('/oauth2/token', form, { authorization: basic({ id: client.client_id, secret }) })).json.error
  t.is(await errorOf(), 'invalid_request')
  await asAdmin(`PATCH /clients/${client.id}`, { token_exchange: null })
  await sleep(1100)
  t.is(await errorOf(), 'unauthorized_client')
})

test('what is no policy is refused', async t => {
  const wrong = [
    { allowed_clients: 'all' },
    { allowed_clients: [1] },
    { audiences: ['https://api.example/'] },
    { audiences: [{ identifier: 'https://api.example/', scopes: ['two words'] }] },
    { may_impersonate: 'yes' },
    { may_do_everything: true },
  ]
  for (const token_exchange of wrong) t.is((await asAdmin('POST /clients', { ...exchanger, token_exchange })).status, 400, JSON.stringify(token_exchange))
})

test('only who holds every permission says it, and changes a client that has one', async t => {
  const { base, id, owner } = await makeOrganization(api)
  const token = owner.token
  t.is((await api.ask(`POST ${base}/clients`, { token, body: { ...exchanger, token_exchange: policy } })).status, 400)
  const { client } = (await asAdmin('POST /clients', { ...exchanger, organization_id: id, token_exchange: policy })).data
  t.is((await api.ask(`PATCH ${base}/clients/${client.id}`, { token, body: { token_exchange: policy } })).status, 400)
  for (const body of [{ name: 'Mine' }, { grant_types: ['client_credentials'] }])
    t.is((await api.ask(`PATCH ${base}/clients/${client.id}`, { token, body })).status, 403)
  t.is((await api.ask(`POST ${base}/clients/${client.id}/secrets`, { token, body: {} })).status, 403)
  const key = (await asAdmin('POST /api-keys', { name: 'Clerk', permissions: ['clients:read', 'clients:write'] })).data.key
  const bearer = { token: String(key) }
  t.is((await api.ask('POST /clients', { ...bearer, body: { ...exchanger, token_exchange: policy } })).status, 403)
  t.is((await api.ask('POST /clients', { ...bearer, body: exchanger })).status, 201)
  t.is((await api.ask(`GET /clients/${client.id}`, bearer)).status, 200)
})
