// Authorization requests and answers that nobody on the way can change: PAR, JAR, JARM, form_post.
import { createHash } from 'node:crypto'
import test from 'ava'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import * as client from 'openid-client'
import { fillForm } from '../../scripts/bench/forms.ts'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { createPerson, type Person } from '../support/person.ts'
import { alice, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let person: Person
test.before(async () => {
  server = await startServer()
  person = (await (await makeClient(server)).signIn({ who: alice })).person
})
test.after.always(() => server?.close())

const parametersOf = async ({ request }: TestClient, parameters: Record<string, string> = {}) => {
  const made = await request(parameters)
  made.url.searchParams.delete('client_id')
  made.url.searchParams.delete('response_type')
  return { ...made, parameters: Object.fromEntries(made.url.searchParams) }
}

test('a pushed request is answered with a code, once (RFC 9126)', async t => {
  const relyingParty = await makeClient(server)
  const { parameters, checks } = await parametersOf(relyingParty)
  const url = await client.buildAuthorizationUrlWithPAR(relyingParty.configuration, parameters)
  t.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri'])
  const { location } = await person.follow(await person.get(url), redirectUri)
  t.truthy((await client.authorizationCodeGrant(relyingParty.configuration, location as URL, checks)).access_token)
  const again = await person.get(url)
  t.is(again.status, 400)
  t.is(again.location, undefined)
})

test('a pushed request may be reloaded while the person is signing in', async t => {
  const relyingParty = await makeClient(server)
  const { parameters } = await parametersOf(relyingParty)
  const url = await client.buildAuthorizationUrlWithPAR(relyingParty.configuration, parameters)
  const other = createPerson()
  t.is((await other.follow(await other.get(url), redirectUri)).status, 200)
  const back = await other.authorize(url, { ...alice, redirectUri })
  t.truthy(back.searchParams.get('code'))
})

test('a pushed request is refused to who is not the client, and to another client’s request_uri', async t => {
  const [own, other] = await Promise.all([makeClient(server), makeClient(server)])
  const { parameters } = await parametersOf(own)
  const url = await client.buildAuthorizationUrlWithPAR(own.configuration, parameters)
  url.searchParams.set('client_id', other.clientId)
  t.is((await person.get(url)).status, 400)
  const wrong = { ...parameters, redirect_uri: 'https://elsewhere.example/' }
  t.is(await refusal(client.buildAuthorizationUrlWithPAR(own.configuration, wrong)), 'invalid_request')
})

test('a client may be held to pushed requests', async t => {
  const relyingParty = await makeClient(server, { metadata: { require_pushed_authorization_requests: true } })
  const { url } = await relyingParty.request({ prompt: 'none' })
  t.is((await person.get(url)).location?.searchParams.get('error'), 'invalid_request')
})

for (const alg of ['ES256', 'RS256', 'EdDSA'])
  test(`a signed request object is taken from its client and from no other key (RFC 9101, ${alg})`, async t => {
    const [own, other] = await Promise.all([generateKeyPair(alg, { extractable: true }), generateKeyPair(alg)])
    const jwks = { keys: [{ ...(await exportJWK(own.publicKey)), use: 'sig' } as JWK] }
    const relyingParty = await makeClient(server, { metadata: { jwks } })
    const { parameters, checks } = await parametersOf(relyingParty)
    const url = await client.buildAuthorizationUrlWithJAR(relyingParty.configuration, parameters, own.privateKey)
    const { location } = await person.follow(await person.get(url), redirectUri)
    t.truthy((await client.authorizationCodeGrant(relyingParty.configuration, location as URL, checks)).access_token)
    const forged = await client.buildAuthorizationUrlWithJAR(relyingParty.configuration, parameters, other.privateKey)
    const answer = await person.get(forged)
    t.is(answer.location?.searchParams.get('code') ?? undefined, undefined)
    t.regex(`${answer.status} ${answer.location?.searchParams.get('error')}`, /^400|invalid_request_object/)
  })

test('an unsigned request object is refused', async t => {
  const relyingParty = await makeClient(server)
  const { url } = await relyingParty.request()
  const claims = { ...Object.fromEntries(url.searchParams), iss: relyingParty.clientId, aud: server.issuer }
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  url.searchParams.set('request', `${encode({ alg: 'none', typ: 'oauth-authz-req+jwt' })}.${encode(claims)}.`)
  const answer = await person.get(url)
  t.falsy(answer.location?.searchParams.get('code'))
})

test('an answer may come as a signed JWT (JARM)', async t => {
  for (const alg of ['ES256', 'RS256']) {
    const relyingParty = await makeClient(server, { metadata: { authorization_signed_response_alg: alg } })
    client.useJwtResponseMode(relyingParty.configuration)
    const { url, checks } = await relyingParty.request()
    t.is(url.searchParams.get('response_mode'), 'jwt')
    const { location } = await person.follow(await person.get(url), redirectUri)
    t.deepEqual([...(location?.searchParams.keys() ?? [])], ['response'])
    t.truthy((await client.authorizationCodeGrant(relyingParty.configuration, location as URL, checks)).access_token)
  }
})

for (const mode of ['form_post', 'form_post.jwt'])
  test(`an answer by ${mode} is a page that sends itself, and whose script its policy allows`, async t => {
    const relyingParty = await makeClient(server)
    const { url, checks } = await relyingParty.request({ response_mode: mode })
    if (mode === 'form_post.jwt') client.useJwtResponseMode(relyingParty.configuration)
    const page = await person.get(url)
    t.is(page.status, 200)
    const script = /<script>(.*?)<\/script>/s.exec(page.body)?.[1] ?? ''
    const hash = createHash('sha256').update(script).digest('base64')
    const policy = page.headers.get('content-security-policy') ?? ''
    t.true(policy.includes(`'sha256-${hash}'`), policy)
    t.false(policy.includes('form-action'))
    t.false(policy.includes('unsafe-inline'))
    t.is(page.headers.get('cache-control'), 'no-store')
    const form = fillForm(page.body.replaceAll('type="hidden"', ''), { code: '', response: '', state: '' })
    const named = Object.fromEntries(
      [...page.body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
    )
    t.is(form?.action, redirectUri)
    const back = new Request(redirectUri, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(named),
    })
    t.truthy((await client.authorizationCodeGrant(relyingParty.configuration, back, checks)).access_token)
  })
