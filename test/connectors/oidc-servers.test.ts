// What a provider says of itself, and is set as: where it is not held to its name, or leads astray, nobody is sent there.
import test from 'ava'
import type { Problem } from '../../src/platform/errors.ts'
import { connect, connectorsOf } from '../support/upstreams/connecting.ts'
import { startGoogle } from '../support/upstreams/known.ts'
import { startUpstream, type Upstream } from '../support/upstreams/upstream.ts'

const silence = { code: 'upstream_unavailable' } as const
const connectTo = ({ issuer, client_id, client_secret }: Upstream) => connect(connectorsOf(), 'oidc', { settings: { issuer, client_id }, client_secret })

test('a provider that calls itself by another name is not asked', async t => {
  for (const metadata of [{ issuer: 'https://accounts.google.com' }, { issuer: undefined }, { issuer: 'http://localhost:1/{tenantid}' }]) {
    const liar = await startUpstream({ metadata })
    t.teardown(liar.close)
    const error = await t.throwsAsync<Problem>(connectTo(liar).begin(), silence, JSON.stringify(metadata))
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
