// The connector of any OpenID provider: what it asks for, what it remembers, which stays small whatever they say of themselves; what it says when
// the provider is silent; and that nobody is sent to one that is not held to its name, or leads astray.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import type { Wish } from '../../src/connectors/connector.ts'
import type { Problem } from '../../src/platform/errors.ts'
import { type Connecting, connect, connectorsOf } from '../support/upstreams/connecting.ts'
import { startGoogle } from '../support/upstreams/known.ts'
import { startUpstream, type Upstream } from '../support/upstreams/upstream.ts'

let upstream: Upstream
let connecting: Connecting
test.before(async () => {
  upstream = await startUpstream()
  connecting = connectTo(upstream)
})
test.after.always(() => upstream?.close())

const connectTo = ({ issuer, client_id, client_secret }: Upstream, settings: object = {}, connectors = connectorsOf()) =>
  connect(connectors, 'oidc', { settings: { issuer, client_id, ...settings }, client_secret })

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

/** A world of providers that anybody may set up, with documents that are blown up by `more`. */
const blownUp = (more: { metadata?: string; keys?: string }): typeof fetch => {
  const filled = (document: object, member: string | undefined) =>
    new Response(member === undefined ? JSON.stringify(document) : `${JSON.stringify(document).slice(0, -1)},${member}}`, {
      headers: { 'content-type': 'application/json' },
    })
  return async input => {
    const { origin, pathname } = new URL(input instanceof Request ? input.url : input)
    if (pathname === '/keys') return filled({ keys: [] }, more.keys)
    const endpoints = { authorization_endpoint: `${origin}/authorize`, token_endpoint: `${origin}/token`, jwks_uri: `${origin}/keys` }
    return filled({ issuer: origin, response_types_supported: ['code'], ...endpoints }, more.metadata)
  }
}
const nothings = (bytes: number) => `[${'{},'.repeat(bytes / 3)}{}]`
const connectBy = (fetch: typeof globalThis.fetch, connectors = connectorsOf([], { fetch })) => {
  return (issuer: string) => connect(connectors, 'oidc', { settings: { issuer, client_id: 'authy2' } })
}

test('two hundred providers that say a lot of nothing take little memory', async t => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const heapBytes = () => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const to = connectBy(blownUp({ metadata: `"x":${nothings(60_000)},"scopes_supported":${nothings(300)}` }))
  const before = heapBytes()
  for (let count = 0; count < 200; count += 1) await to(`https://${count}.example`).begin()
  t.true(heapBytes() - before < 20_000_000, String(heapBytes() - before))
  t.is(typeof to, 'function', 'the memory lives until here')
})

test('documents that are larger than any that is true are not read', async t => {
  await t.throwsAsync(connectBy(blownUp({ metadata: `"x":"${'x'.repeat(70_000)}"` }))('https://id.example').begin(), { code: 'upstream_unavailable' })
  const upstream = await startUpstream()
  t.teardown(upstream.close)
  const { issuer, client_id, client_secret } = upstream
  const connectors = connectorsOf([], {
    fetch: async (input, init) => {
      const answer = await fetch(input, init)
      if (!String(input).endsWith('/jwks')) return answer
      return Response.json({ keys: [], ...((await answer.json()) as object), x: 'x'.repeat(70_000) })
    },
  })
  const one = connect(connectors, 'oidc', { settings: { issuer, client_id }, client_secret })
  await t.throwsAsync(one.signIn(upstream), { code: 'upstream_answer_invalid' })
})

test('of many keys those that sign are found, and no more of them than anybody has', async t => {
  const upstream = await startUpstream()
  t.teardown(upstream.close)
  const { issuer, client_id, client_secret } = upstream
  const signInAmong = (others: readonly object[]) => {
    const connectors = connectorsOf([], {
      fetch: async (input, init) => {
        const answer = await fetch(input, init)
        if (!String(input).endsWith('/jwks')) return answer
        const { keys } = (await answer.json()) as { keys: object[] }
        return Response.json({ keys: [...others, ...keys] })
      },
    })
    return connect(connectors, 'oidc', { settings: { issuer, client_id }, client_secret }).signIn(upstream, { sub: 'ada' })
  }
  const many = (key: unknown) => Array.from({ length: 100 }, () => key as object)
  for (const other of [{}, null, 7, { kty: 'RSA', use: 'enc', n: 'x', e: 'AQAB' }, { kty: 'oct', k: 'x' }, { kty: 'RSA', n: 'x'.repeat(5000), e: 'AQAB' }])
    t.is((await signInAmong(many(other).slice(0, 10))).subject, 'ada', JSON.stringify(other).slice(0, 50))
  await t.throwsAsync(signInAmong(many({ kty: 'RSA', kid: 'other', n: 'x', e: 'AQAB' })), { code: 'upstream_answer_invalid' })
})

const silence = { code: 'upstream_unavailable' } as const
const connectPlainly = ({ issuer, client_id, client_secret }: Upstream) => connect(connectorsOf(), 'oidc', { settings: { issuer, client_id }, client_secret })

test('a provider that calls itself by another name is not asked', async t => {
  for (const metadata of [{ issuer: 'https://accounts.google.com' }, { issuer: undefined }, { issuer: 'http://localhost:1/{tenantid}' }]) {
    const liar = await startUpstream({ metadata })
    t.teardown(liar.close)
    const error = await t.throwsAsync<Problem>(connectPlainly(liar).begin(), silence, JSON.stringify(metadata))
    t.truthy(error?.cause)
  }
})

test('a provider is not asked at addresses that a browser or a secret must not go to', async t => {
  for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri'])
    for (const address of ['javascript:alert(1)', 'data:text/html,x', 'http://accounts.google.com/plain', '/relative', '', 7, null, undefined]) {
      const google = await startGoogle({ alg: 'ES256', metadata: { [name]: address } })
      t.teardown(google.close)
      const { client_id, client_secret } = google
      const one = connect(connectorsOf([google]), 'google', { settings: { client_id }, client_secret })
      await t.throwsAsync(one.begin(), silence, `${name} is ${address}`)
    }
})

test('an issuer is set without what would keep its name from being compared', t => {
  for (const issuer of [
    'https://evil.example/.well-known/openid-configuration',
    'https://id.example.com?x=1',
    'https://id.example.com/#x',
    'https://user@id.example.com',
    'http://id.example.com',
    'javascript:alert(1)',
    'id.example.com',
  ])
    t.throws(() => connect(connectorsOf(), 'oidc', { settings: { issuer, client_id: 'x' } }), { name: 'ZodError' }, issuer)
})
