// What is remembered of providers stays small, whatever they say of themselves.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import { connect, connectorsOf } from '../support/upstreams/connecting.ts'
import { startUpstream } from '../support/upstreams/upstream.ts'

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
const connectTo = (fetch: typeof globalThis.fetch, connectors = connectorsOf([], { fetch })) => {
  return (issuer: string) => connect(connectors, 'oidc', { settings: { issuer, client_id: 'authy2' } })
}

test('two hundred providers that say a lot of nothing take little memory', async t => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const heapBytes = () => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const to = connectTo(blownUp({ metadata: `"x":${nothings(60_000)},"scopes_supported":${nothings(300)}` }))
  const before = heapBytes()
  for (let count = 0; count < 200; count += 1) await to(`https://${count}.example`).begin()
  t.true(heapBytes() - before < 20_000_000, String(heapBytes() - before))
  t.is(typeof to, 'function', 'the memory lives until here')
})

test('documents that are larger than any that is true are not read', async t => {
  await t.throwsAsync(connectTo(blownUp({ metadata: `"x":"${'x'.repeat(70_000)}"` }))('https://id.example').begin(), { code: 'upstream_unavailable' })
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
