// Who may call: session tokens, API keys, apps' access tokens and our own pages; and who may not.
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { startApi, type TestApi } from '../support/api.ts'
import { makeClient } from '../support/clients.ts'
import { createPerson } from '../support/person.ts'
import { createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { makeUser } from '../support/users.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

const sql = (text: string, values: unknown[]) => api.server.resources.database.pool.query(text, values)

for (const token of ['x', 'authy2s_', `authy2s_${'A'.repeat(43)}`, `authy2_${'A'.repeat(43)}`, 'a.b.c', 'eyJhbGciOiJub25lIn0.e30.', '%00'])
  test(`the credential ${token.slice(0, 20)} is told 401 and how to ask`, async t => {
    const reply = await api.ask('GET /auth/me', { token })
    t.deepEqual([reply.status, reply.error?.type], [401, 'UNAUTHORIZED'])
    t.regex(String(reply.headers['www-authenticate']), /^Bearer /)
  })

test('wrong credentials are refused also where none are needed', async t => {
  const reply = await api.ask('POST /auth/login', { token: 'nobody', body: { email: 'a@b.example', password: 'x' } })
  t.is(reply.status, 401)
  t.is((await api.ask('GET /auth/me', { headers: { authorization: 'Basic eDp5' } })).status, 401)
})

test('a session ends by age, by idleness, and with the person', async t => {
  for (const change of [
    "UPDATE sessions SET expires_at = now() - interval '1 second' WHERE user_id = $1",
    "UPDATE sessions SET last_seen_at = now() - interval '25 hours' WHERE user_id = $1",
    'UPDATE users SET suspended_at = now() WHERE id = $1',
    'UPDATE users SET deleted_at = now() WHERE id = $1',
  ]) {
    const { id, token } = await api.signIn()
    t.is((await api.ask('GET /auth/me', { token })).status, 200)
    await sql(change, [id])
    t.is((await api.ask('GET /auth/me', { token })).status, 401, change)
  }
})

test('that a session was seen is noted once a minute', async t => {
  const { id, token } = await api.signIn()
  const seen = async () => (await sql('SELECT last_seen_at FROM sessions WHERE user_id = $1', [id])).rows[0].last_seen_at.getTime()
  const first = await seen()
  await api.ask('GET /auth/me', { token })
  t.is(await seen(), first)
  await sql("UPDATE sessions SET last_seen_at = now() - interval '2 minutes' WHERE user_id = $1", [id])
  await api.ask('GET /auth/me', { token })
  t.true((await seen()) >= first)
})

const tokenOf = async (scope: string, registered: { scope?: string; isFirstParty: boolean; organizationId?: string }) => {
  const { isFirstParty, organizationId, scope: registeredScope } = registered
  const machine = await makeClient(api.server, {
    grantTypes: ['client_credentials'],
    isFirstParty,
    organizationId,
    apiPermissions: registeredScope?.split(' '),
  })
  const { access_token: token } = await client.clientCredentialsGrant(machine.configuration, { scope, resource: `${api.server.issuer}/api/v1` })
  return token
}

test('the operator’s own machine has what it was registered for and asked for', async t => {
  const token = await tokenOf('api_keys:read', { scope: 'api_keys:read api_keys:write', isFirstParty: true })
  t.is((await api.ask('GET /api-keys', { token })).status, 200)
  t.is((await api.ask('POST /api-keys', { token, body: { name: 'x', permissions: ['api_keys:read'] } })).status, 403)
  t.is((await api.ask('GET /users/me', { token })).status, 403)
})

test('a machine that was registered for nothing, or is no operator’s, may nothing', async t => {
  for (const registered of [{ isFirstParty: true }, { scope: 'api_keys:read', isFirstParty: false }]) {
    const token = await tokenOf('api_keys:read', registered)
    t.is((await api.ask('GET /api-keys', { token })).status, 403)
  }
})

test('a machine of an organization acts there alone', async t => {
  const [mine, theirs] = await Promise.all(
    ['machines-1', 'machines-2'].map(slug => api.server.services.organizations.create(systemActor, { slug, name: slug })),
  )
  const token = await tokenOf('api_keys:read', { scope: 'api_keys:read', isFirstParty: false, organizationId: mine?.id })
  t.is((await api.ask(`GET /api-keys?organization_id=${mine?.id}`, { token })).status, 200)
  t.is((await api.ask(`GET /api-keys?organization_id=${theirs?.id}`, { token })).status, 404)
  t.is((await api.ask('GET /api-keys', { token })).status, 403)
})

test('an access token for another resource is no credential here', async t => {
  const machine = await makeClient(api.server, { grantTypes: ['client_credentials'] })
  const { access_token: token } = await client.clientCredentialsGrant(machine.configuration, {})
  t.is((await api.ask('GET /api-keys', { token })).status, 401)
})

test('an app has of a person’s permissions what was granted, and is never the person', async t => {
  const who = await makeUser(api.server)
  const { id: organizationId } = await api.server.services.organizations.create(systemActor, { slug: 'apps-1', name: 'Apps', ownerId: who.id })
  const app = await makeClient(api.server)
  const resource = `${api.server.issuer}/api/v1`
  const made = await app.request({ scope: 'openid members:read', resource })
  const back = await createPerson().authorize(made.url, { ...who, redirectUri })
  const { access_token: token } = await client.authorizationCodeGrant(app.configuration, back, made.checks, { resource })
  t.is((await api.ask(`GET /organizations/${organizationId}/members`, { token })).status, 200)
  t.is((await api.ask(`GET /organizations/${organizationId}`, { token })).status, 403)
  t.is((await api.ask('GET /users', { token })).status, 403)
  for (const operation of ['GET /users/me', 'DELETE /users/me', 'GET /auth/sessions']) t.is((await api.ask(operation, { token })).status, 403, operation)
  await sql("UPDATE oidc_artifacts SET revoked_at = now() WHERE account_id = $1 AND kind = 'Grant'", [who.id])
  t.is((await api.ask(`GET /organizations/${organizationId}/members`, { token })).status, 401, 'the grant was revoked')
})

test('our own pages call with the browser’s session; writing needs its token, and no other origin may', async t => {
  const who = await makeUser(api.server)
  const { person } = await (await createRelyingParty(api.server.issuer)).signIn({ who })
  const cookie = [...person.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; ')
  const own = { cookie, 'sec-fetch-site': 'same-origin' }
  const me = await api.ask('GET /auth/me', { headers: own })
  t.deepEqual([me.status, me.data?.id], [200, who.id])
  const rename = (headers: Record<string, string>) => api.ask('PATCH /users/me', { body: { full_name: 'By A Page' }, headers })
  const csrf = { 'x-csrf-token': String(me.data.csrf_token) }
  const refused = await rename(own)
  t.deepEqual([refused.status, refused.message], [403, 'The X-CSRF-Token header is missing or wrong; GET /auth/me tells it.'])
  t.is((await rename({ ...own, 'x-csrf-token': 'x' })).status, 403)
  t.is((await rename({ ...own, ...csrf, origin: api.server.issuer })).status, 200)
  const foreigners: readonly Record<string, string>[] = [
    { cookie },
    { cookie, 'sec-fetch-site': 'cross-site' },
    { cookie, 'sec-fetch-site': 'same-site' },
    { ...own, origin: 'https://evil.example' },
    { cookie, origin: 'null' },
  ]
  for (const foreign of foreigners) {
    t.is((await api.ask('GET /auth/me', { headers: foreign })).status, 401, JSON.stringify(Object.keys(foreign)))
    t.is((await rename({ ...foreign, ...csrf })).status, 401)
  }
  t.is((await api.ask('POST /auth/logout', { headers: { ...own, ...csrf } })).status, 200)
  t.is((await api.ask('GET /auth/me', { headers: own })).status, 401)
})
