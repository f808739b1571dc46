// The connector of any OpenID provider: what it asks for, what it remembers, and what it says when the provider is silent.
import test from 'ava'
import type { Wish } from '../../src/connectors/connector.ts'
import { type Connecting, connect, connectorsOf } from '../support/upstreams/connecting.ts'
import { startUpstream, type Upstream } from '../support/upstreams/upstream.ts'

let upstream: Upstream
let connecting: Connecting

const connectTo = ({ issuer, client_id, client_secret }: Upstream, settings: object = {}, connectors = connectorsOf()) =>
  connect(connectors, 'oidc', { settings: { issuer, client_id, ...settings }, client_secret })

test.before(async () => {
  upstream = await startUpstream()
  connecting = connectTo(upstream)
})
test.after.always(() => upstream?.close())

const asked = async (wish: Partial<Wish> = {}, from = connecting) => Object.fromEntries((await from.begin(wish)).url.searchParams)

test('it asks with a state, a nonce and a challenge that are new each time', async t => {
  const [first, second] = [await asked({ state: 'ours' }), await asked({ state: 'ours' })]
  t.is(first.state, 'ours')
  t.is(first.scope, 'openid email profile')
  t.is(first.response_type, 'code')
  t.not(first.nonce, second.nonce)
  t.not(first.code_challenge, second.code_challenge)
  t.false('prompt' in first || 'max_age' in first || 'login_hint' in first)
})

test('it asks for a login where the person has to prove themselves again, and tells when they did', async t => {
  const { prompt, max_age, login_hint } = await asked({ isAgain: true, loginHint: 'ada@example.com' })
  t.deepEqual({ prompt, max_age, login_hint }, { prompt: 'login', max_age: '0', login_hint: 'ada@example.com' })
  const { authenticatedAt } = await connecting.signIn(upstream, {}, { isAgain: true })
  t.true(Math.abs((authenticatedAt?.getTime() ?? 0) - Date.now()) < 30_000)
})

test('the provider is discovered once in ten minutes, whichever connection asks', async t => {
  const own = await startUpstream()
  t.teardown(own.close)
  let now = Date.now()
  const connectors = connectorsOf([], { now: () => new Date(now) })
  const discoveries = () => own.requests.filter(one => one.includes('openid-configuration')).length
  for (const one of [connectTo(own, {}, connectors), connectTo(own, {}, connectors)]) await one.signIn(own)
  t.is(discoveries(), 1)
  t.is(own.requests.filter(one => one === 'GET /jwks').length, 1)
  await connectTo(own, { scopes: ['openid'], id_token_signed_response_alg: 'ES256' }, connectors).begin()
  t.is(discoveries(), 1)
  now += 11 * 60_000
  await connectTo(own, {}, connectors).begin()
  t.is(discoveries(), 2)
})

test('times are judged by our clock', async t => {
  const day = 86_400
  const seconds = Math.floor(Date.now() / 1000)
  for (const days of [-2, 2]) {
    const connectors = connectorsOf([], { now: () => new Date(Date.now() + days * day * 1000) })
    const one = connectTo(upstream, {}, connectors)
    const then = seconds + days * day
    const fresh = { iat: then, nbf: then, auth_time: then, exp: then + 600 }
    t.is((await one.signIn(upstream, { sub: 'ada', idToken: fresh })).subject, 'ada', `${days} days`)
    await t.throwsAsync(one.signIn(upstream, { idToken: { ...fresh, exp: then - 120 } }), { code: 'upstream_answer_invalid' })
    await t.throwsAsync(one.signIn(upstream, { idToken: { ...fresh, nbf: then + 300 } }), { code: 'upstream_answer_invalid' })
  }
})

test('what cannot be guessed comes of the randomness that is handed in', async t => {
  const sizes: number[] = []
  const connectors = connectorsOf([], {
    randomBytes: size => {
      sizes.push(size)
      return Buffer.alloc(size, sizes.length)
    },
  })
  const { begun } = await connectTo(upstream, {}, connectors).begin()
  t.deepEqual(sizes, [32, 32])
  t.is(begun.kept.verifier, Buffer.alloc(32, 1).toString('base64url'))
  t.is(begun.kept.nonce, Buffer.alloc(32, 2).toString('base64url'))
})

test('a discovery that fails is not remembered, and is told as silence', async t => {
  let isDown = true
  const flaky = await startUpstream()
  t.teardown(flaky.close)
  const connectors = connectorsOf([], { fetch: (input, init) => (isDown ? Promise.reject(new TypeError('fetch failed')) : fetch(input, init)) })
  const own = connectTo(flaky, {}, connectors)
  await t.throwsAsync(own.begin(), { code: 'upstream_unavailable' })
  isDown = false
  t.is((await own.signIn(flaky, { sub: 'ada' })).subject, 'ada')
})

test('keys that the provider rotates are found at once', async t => {
  const own = await startUpstream()
  t.teardown(own.close)
  const one = connectTo(own)
  t.is((await one.signIn(own, { sub: 'ada' })).subject, 'ada')
  own.rotateKeys()
  t.is((await one.signIn(own, { sub: 'ada' })).subject, 'ada')
})

test('ID tokens are signed by the one algorithm that is set', async t => {
  for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA'] as const) {
    const own = await startUpstream({ alg })
    t.teardown(own.close)
    const one = connectTo(own, { id_token_signed_response_alg: alg })
    t.is((await one.signIn(own, { sub: 'ada' })).subject, 'ada', alg)
    t.deepEqual(
      (await one.test()).filter(({ isGood }) => !isGood),
      [],
      alg,
    )
    const other = connectTo(own, { id_token_signed_response_alg: alg === 'RS256' ? 'PS256' : 'RS256' })
    await t.throwsAsync(other.signIn(own), { code: 'upstream_answer_invalid' }, alg)
  }
})

for (const [silence, path] of [
  ['token endpoint', '/token'],
  ['userinfo endpoint', '/me'],
  ['keys', '/jwks'],
] as const)
  for (const [how, answer] of [
    ['cannot be reached', () => Promise.reject(new TypeError('fetch failed'))],
    ['takes too long', () => Promise.reject(new DOMException('too long', 'TimeoutError'))],
    ['has a fault', async () => new Response('oops', { status: 502 })],
    ['has too much to do', async () => new Response('slow down', { status: 429 })],
  ] as const)
    test(`a provider whose ${silence} ${how} is told as silent`, async t => {
      const connectors = connectorsOf([], {
        fetch: (input, init) => (new URL(input instanceof Request ? input.url : input).pathname === path ? answer() : fetch(input, init)),
      })
      await t.throwsAsync(connectTo(upstream, {}, connectors).signIn(upstream), { code: 'upstream_unavailable' })
    })

test('a provider that sends us elsewhere is not followed', async t => {
  const connectors = connectorsOf([], {
    fetch: (input, init) =>
      new URL(input instanceof Request ? input.url : input).pathname === '/me'
        ? Promise.resolve(new Response(null, { status: 302, headers: { location: upstream.issuer } }))
        : fetch(input, init),
  })
  await t.throwsAsync(connectTo(upstream, {}, connectors).signIn(upstream), { code: 'upstream_answer_invalid' })
})

test('an answer that is broken off is silence, and one that is too large is refused', async t => {
  const broken = () => new ReadableStream({ start: stream => stream.error(new TypeError('terminated')) })
  const tooLarge = `{"sub":"ada","more":"${'x'.repeat(300_000)}"}`
  for (const [body, code] of [
    [broken(), 'upstream_unavailable'],
    [tooLarge, 'upstream_answer_invalid'],
  ] as const) {
    const connectors = connectorsOf([], {
      fetch: async (input, init) =>
        new URL(input instanceof Request ? input.url : input).pathname === '/me'
          ? new Response(body, { headers: { 'content-type': 'application/json' } })
          : fetch(input, init),
    })
    await t.throwsAsync(connectTo(upstream, {}, connectors).signIn(upstream, { sub: 'ada' }), { code })
  }
})

const [basic, post] = ['client_secret_basic', 'client_secret_post'] as const

test('we authenticate as a client is registered where nothing is said, or as the provider says it can be done, or as it is set', async t => {
  const ways: readonly (readonly [typeof basic | typeof post, readonly string[] | undefined, object])[] = [
    [basic, [post, basic], {}],
    [basic, undefined, {}],
    [post, [post], {}],
    [post, [post, basic], { token_endpoint_auth_method: post }],
    [basic, [post], { token_endpoint_auth_method: basic }],
    [basic, ['private_key_jwt'], {}],
  ]
  for (const [authMethod, told, settings] of ways) {
    const own = await startUpstream({ authMethod, metadata: { token_endpoint_auth_methods_supported: told } })
    t.teardown(own.close)
    t.is((await connectTo(own, settings).signIn(own, { sub: 'ada' })).subject, 'ada', `${authMethod} of ${told} with ${JSON.stringify(settings)}`)
  }
})

test('a test names the way of authenticating that works, where ours does not', async t => {
  for (const [authMethod, settings] of [
    [post, {}],
    [basic, { token_endpoint_auth_method: post }],
  ] as const) {
    const own = await startUpstream({ authMethod })
    t.teardown(own.close)
    const bad = (await connectTo(own, settings).test()).filter(({ isGood }) => !isGood)
    t.deepEqual(
      bad.map(({ check }) => check),
      ['credentials'],
      authMethod,
    )
    t.true(bad[0]?.detail?.includes(authMethod))
    t.deepEqual(
      (await connectTo(own, { token_endpoint_auth_method: authMethod }).test()).filter(({ isGood }) => !isGood),
      [],
    )
  }
})

test('a test finds what the provider lacks', async t => {
  const lacking = async (metadata: Record<string, unknown>, settings: object = {}) => {
    const own = await startUpstream({ metadata })
    t.teardown(own.close)
    const findings = await connectTo(own, settings).test()
    return findings.filter(({ isGood }) => !isGood).map(({ check }) => check)
  }
  t.deepEqual(await lacking({}), [])
  t.deepEqual(await lacking({ code_challenge_methods_supported: undefined }), [])
  t.deepEqual(await lacking({ code_challenge_methods_supported: ['plain'] }), ['pkce'])
  t.deepEqual(await lacking({ response_types_supported: ['id_token'] }), ['code_flow'])
  t.deepEqual(await lacking({ jwks_uri: 'http://localhost:1/jwks' }), ['keys'])
  t.deepEqual(await lacking({}, { id_token_signed_response_alg: 'ES256' }), ['keys', 'signature'])
  t.deepEqual(await lacking({ issuer: 'https://id.example.com' }), ['discovery'])
  t.deepEqual(await lacking({ jwks_uri: undefined }), ['discovery'])
  const unknown = await connect(connectorsOf(), 'oidc', { settings: { issuer: upstream.issuer, client_id: 'authy2' }, client_secret: 'another secret' }).test()
  t.deepEqual(
    unknown.filter(({ isGood }) => !isGood).map(({ check, detail }) => ({ check, detail })),
    [{ check: 'credentials', detail: 'The provider does not know this client and secret.' }],
  )
})
