// oidcc-config-certification-test-plan: the module of the public plan by its name, by a double of ours.
import test from 'ava'
import { verifyKeys } from './conditions.ts'
import { type Suite, startSuite } from './suite.ts'

let suite: Suite
test.before(async () => {
  suite = await startSuite()
})
test.after.always(() => suite?.close())

const listOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])
const includesAll = (value: unknown, wanted: readonly string[]) => wanted.every(one => listOf(value).includes(one))

test('oidcc-discovery-endpoint-verification', async t => {
  const { issuer } = suite.metadata
  const response = await fetch(`${issuer}/.well-known/openid-configuration`)
  // OpenID Connect Discovery 1.0 §4.2, §4.3
  t.is(response.status, 200)
  t.regex(response.headers.get('content-type') ?? '', /^application\/json\b/)
  const metadata = (await response.json()) as Record<string, unknown> & Suite['metadata']
  t.is(metadata.issuer, issuer)
  // RFC 8414 §2
  const { search, hash, username } = new URL(issuer)
  t.is(search + hash + username, '')
  // Discovery §3; without dynamic registration for everybody no more than `code` has to be offered.
  t.true(includesAll(metadata.response_types_supported, ['code']))
  t.true(includesAll(metadata.subject_types_supported, ['public']))
  t.true(includesAll(metadata.id_token_signing_alg_values_supported, ['RS256']))
  t.true(listOf(metadata.userinfo_signing_alg_values_supported).length > 0)
  t.true(includesAll(metadata.request_object_signing_alg_values_supported, ['RS256']))
  t.true(includesAll(metadata.grant_types_supported, ['authorization_code']))
  t.true(includesAll(metadata.scopes_supported, ['openid']))
  t.true(includesAll(metadata.claims_supported, ['sub']))
  t.is(typeof metadata.claims_parameter_supported, 'boolean')
  t.is(typeof metadata.request_parameter_supported, 'boolean')
  // RFC 6749 §3.3: what a scope is written with.
  for (const scope of listOf(metadata.scopes_supported)) t.regex(scope, /^[\x21\x23-\x5b\x5d-\x7e]+$/)
  // BCP 47: canonically written.
  for (const locale of listOf(metadata.ui_locales_supported)) t.is(Intl.getCanonicalLocales(locale)[0], locale)
  // RFC 8414 §2, RFC 7636 §4.3
  t.deepEqual(metadata.code_challenge_methods_supported, ['S256'])
  // Every endpoint is where the issuer is, so it is https where that is.
  const endpoints = Object.entries(metadata).filter(([name]) => name.endsWith('_endpoint') || name === 'jwks_uri')
  t.true(endpoints.length >= 6)
  for (const [name, address] of endpoints) t.is(new URL(String(address)).origin, new URL(issuer).origin, name)
  for (const name of ['authorization_endpoint', 'token_endpoint', 'userinfo_endpoint', 'registration_endpoint', 'jwks_uri']) t.true(name in metadata, name)
  await verifyKeys(t, metadata)
})
