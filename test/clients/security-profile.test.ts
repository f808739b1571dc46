// A client's security profile over the API: set where its rules are kept, told by field where they are not, and never left by registration.
import test from 'ava'
import { makeAdmin, startApi, type TestApi } from '../support/api.ts'
import { jwksOf, makeKeys } from '../support/protected-clients.ts'

let api: TestApi
let admin: string
let jwks: Awaited<ReturnType<typeof jwksOf>>
test.before(async () => {
  api = await startApi()
  admin = await makeAdmin(api)
  jwks = await jwksOf(await makeKeys())
})
test.after.always(() => api?.close())

const asAdmin = (operation: string, body?: unknown) => api.ask(operation, { token: admin, body })
const safe = () => ({
  name: 'Bank',
  security_profile: 'fapi2',
  token_endpoint_auth_method: 'private_key_jwt',
  redirect_uris: ['https://bank.example/callback'],
  metadata: { jwks, dpop_bound_access_tokens: true },
})
const faults = async (body: object) => {
  const refused = await asAdmin('POST /clients', body)
  return refused.status === 400 ? (refused.error?.details.fields ?? []).map(({ path }) => path) : [String(refused.status)]
}

test('a client that keeps the rules has the profile, which is told and taken back', async t => {
  for (const profile of ['fapi2', 'fapi2_message_signing']) {
    const made = await asAdmin('POST /clients', { ...safe(), security_profile: profile })
    t.is(made.status, 201, JSON.stringify(made.error))
    t.is(made.data.client.security_profile, profile)
    const { id } = made.data.client
    t.is((await asAdmin(`PATCH /clients/${id}`, { security_profile: null })).data.security_profile, null)
    t.is((await asAdmin(`PATCH /clients/${id}`, { security_profile: 'fapi2' })).data.security_profile, 'fapi2')
  }
  t.is((await asAdmin('POST /clients', { ...safe(), security_profile: 'fapi1' })).status, 400)
})

test('every rule that is broken is told by its field', async t => {
  const plain = { name: 'Plain', security_profile: 'fapi2', redirect_uris: ['https://plain.example/callback'] }
  t.deepEqual(await faults(plain), ['token_endpoint_auth_method', 'dpop_bound_access_tokens'])
  t.deepEqual(await faults({ ...plain, token_endpoint_auth_method: 'none' }), ['token_endpoint_auth_method', 'dpop_bound_access_tokens'])
  t.deepEqual(await faults({ ...safe(), require_pkce: false }), ['require_pkce'])
  t.deepEqual(await faults({ ...safe(), redirect_uris: ['http://localhost:4000/callback'] }), ['redirect_uris'])
  t.deepEqual(await faults({ ...safe(), grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'] }), ['grant_types'])
  for (const [name, value] of Object.entries({
    dpop_bound_access_tokens: false,
    require_pushed_authorization_requests: false,
    id_token_signed_response_alg: 'RS256',
    userinfo_signed_response_alg: 'RS256',
    introspection_signed_response_alg: 'RS256',
    authorization_signed_response_alg: 'RS256',
    request_object_signing_alg: 'RS256',
    token_endpoint_auth_signing_alg: 'RS256',
    backchannel_authentication_request_signing_alg: 'RS256',
  }))
    t.deepEqual(await faults({ ...safe(), metadata: { ...safe().metadata, [name]: value } }), [name])
  const signing = { ...safe(), security_profile: 'fapi2_message_signing' }
  t.deepEqual(await faults({ ...signing, metadata: { ...signing.metadata, require_signed_request_object: false } }), ['require_signed_request_object'])
  t.deepEqual(await faults({ ...signing, metadata: { ...signing.metadata, response_modes: ['jwt', 'query'] } }), ['response_modes'])
})

test('a native application may be answered on the loopback', async t => {
  const body = { ...safe(), redirect_uris: ['http://127.0.0.1/callback'], metadata: { ...safe().metadata, application_type: 'native' } }
  t.is((await asAdmin('POST /clients', body)).status, 201)
})

test('a client that breaks the rules is not given the profile, and one that has it is not changed beneath it', async t => {
  const plain = (await asAdmin('POST /clients', { name: 'Plain', redirect_uris: ['https://plain.example/callback'] })).data.client
  const refused = await asAdmin(`PATCH /clients/${plain.id}`, { security_profile: 'fapi2' })
  t.is(refused.error?.type, 'VALIDATION_ERROR')
  t.is((await asAdmin(`GET /clients/${plain.id}`)).data.security_profile, null)
  const { id } = (await asAdmin('POST /clients', safe())).data.client
  for (const change of [{ token_endpoint_auth_method: 'client_secret_basic' }, { metadata: { jwks } }, { require_pkce: false }])
    t.is((await asAdmin(`PATCH /clients/${id}`, change)).status, 400, JSON.stringify(change))
})

test('certificates are no way to authenticate where the server is given none', async t => {
  const metadata = { tls_client_auth_san_dns: 'client.example' }
  t.deepEqual(await faults({ ...safe(), security_profile: null, token_endpoint_auth_method: 'tls_client_auth', metadata }), ['token_endpoint_auth_method'])
})

test('registration gives no profile and takes none away (RFC 7592 §2.2)', async t => {
  const register = async (url: string, { method, token, body }: { method: string; token: string; body: object }) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const answer = await fetch(url, { method, headers, body: JSON.stringify(body) })
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> }
  }
  const { server } = api
  const initial = await new (server.app.protocol.engine.current().InitialAccessToken)().save()
  const metadata = {
    client_name: 'Bank',
    token_endpoint_auth_method: 'private_key_jwt',
    redirect_uris: ['https://bank.example/callback'],
    dpop_bound_access_tokens: true,
    jwks,
  }
  const made = await register(`${server.issuer}/oauth2/register`, { method: 'POST', token: initial, body: { ...metadata, security_profile: 'fapi2' } })
  t.is(made.status, 201, JSON.stringify(made.json))
  const clientId = String(made.json.client_id)
  t.is((await asAdmin(`GET /clients/${clientId}`)).data.security_profile, null)

  const given = { jwks, dpop_bound_access_tokens: true, id_token_signed_response_alg: 'ES256' }
  const profiled = await asAdmin(`PATCH /clients/${clientId}`, { security_profile: 'fapi2', metadata: given })
  t.is(profiled.data?.security_profile, 'fapi2', JSON.stringify(profiled.error))
  const update = { client_id: clientId, ...metadata }
  const url = String(made.json.registration_client_uri)
  const left = await register(url, { method: 'PUT', token: String(made.json.registration_access_token), body: { ...update, dpop_bound_access_tokens: false } })
  t.is(left.json.error, 'invalid_client_metadata', JSON.stringify(left.json))
  t.is((await asAdmin(`GET /clients/${clientId}`)).data.security_profile, 'fapi2')
})
