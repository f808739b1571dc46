// Modules about what a plain flow gives: codes, tokens, ID tokens, userinfo and scopes.
import type { ExecutionContext } from 'ava'
import { verifyKeys, verifyUserinfo } from '../conditions.ts'
import { type Modules, makeStatic, type Suite } from '../suite.ts'

const bearer = (accessToken: string) => ({ authorization: `Bearer ${accessToken}` })

/** A flow with these scopes, and what userinfo tells of it. */
const withScope = async (t: ExecutionContext, suite: Suite, scope: string) => {
  const { accessToken, claims } = await suite.flow(t, { parameters: { scope } })
  return verifyUserinfo(t, await fetch(suite.metadata.userinfo_endpoint, { headers: bearer(accessToken) }), claims)
}

// §5.4, §3.1.2.1: a scope that is not understood is to be ignored. The suite skips where `scopes_supported` does not name it.
const ignored = (scope: string, claim: string) => async (t: ExecutionContext, suite: Suite) => {
  t.false(suite.metadata.scopes_supported.includes(scope))
  t.false(claim in (await withScope(t, suite, `openid ${scope}`)))
}

export const answers: Modules = {
  'oidcc-server': async (t, suite) => {
    await verifyKeys(t, suite.metadata)
    const { accessToken, claims } = await suite.flow(t)
    await verifyUserinfo(t, await fetch(suite.metadata.userinfo_endpoint, { headers: bearer(accessToken) }), claims)
  },
  'oidcc-response-type-missing': async (t, suite) => {
    const { parameters, sent, pages } = await suite.authorize(t, { parameters: { response_type: undefined, response_mode: undefined } })
    if (!parameters) return t.is(pages.at(-1)?.status, 400)
    t.true(['invalid_request', 'unsupported_response_type'].includes(parameters.get('error') ?? ''))
    t.is(parameters.get('state'), sent.get('state'))
  },
  'oidcc-idtoken-signature': async (t, suite) => {
    const keys = await verifyKeys(t, suite.metadata)
    t.true(keys.filter(({ kty }) => kty === 'RSA').length > 0)
    await suite.flow(t)
  },
  // Skipped by the suite where `none` is not offered, which nobody has to.
  'oidcc-idtoken-unsigned': async (t, { metadata }) => {
    t.false(JSON.stringify(metadata.id_token_signing_alg_values_supported).includes('none'))
  },
  'oidcc-userinfo-get': async (t, suite) => {
    const { accessToken, claims } = await suite.flow(t)
    await verifyUserinfo(t, await fetch(suite.metadata.userinfo_endpoint, { headers: bearer(accessToken) }), claims)
  },
  'oidcc-userinfo-post-header': async (t, suite) => {
    const { accessToken, claims } = await suite.flow(t)
    await verifyUserinfo(t, await fetch(suite.metadata.userinfo_endpoint, { method: 'POST', headers: bearer(accessToken) }), claims)
  },
  'oidcc-userinfo-post-body': async (t, suite) => {
    const { accessToken, claims } = await suite.flow(t)
    const body = new URLSearchParams({ access_token: accessToken })
    await verifyUserinfo(t, await fetch(suite.metadata.userinfo_endpoint, { method: 'POST', body }), claims)
  },
  'oidcc-ensure-request-without-nonce-succeeds-for-code-flow': async (t, suite) => {
    const { claims } = await suite.flow(t, { parameters: { nonce: undefined } })
    t.false('nonce' in claims)
  },
  'oidcc-scope-profile': async (t, suite) => {
    const told = await withScope(t, suite, 'openid profile')
    t.truthy(told.name)
    t.truthy(told.updated_at)
    t.is(told.email, undefined)
  },
  'oidcc-scope-email': async (t, suite) => {
    const told = await withScope(t, suite, 'openid email')
    t.is(told.email, suite.user.email)
    t.true(told.email_verified)
    t.is(told.name, undefined)
  },
  'oidcc-scope-address': ignored('address', 'address'),
  'oidcc-scope-phone': ignored('phone', 'phone_number'),
  'oidcc-scope-all': async (t, suite) => {
    const told = await withScope(t, suite, 'openid address email phone profile')
    t.truthy(told.name)
    t.is(told.email, suite.user.email)
  },
  'oidcc-ensure-other-scope-order-succeeds': async (t, suite) => {
    t.is((await withScope(t, suite, 'email openid')).email, suite.user.email)
  },
  'oidcc-server-client-secret-post': async (t, suite) => {
    const client = await makeStatic(suite.server, { authenticationMethod: 'client_secret_post' })
    const ask: Suite['token'] = (form, { clientId, secret } = client) =>
      fetch(suite.metadata.token_endpoint, { method: 'POST', body: new URLSearchParams({ ...form, client_id: clientId, client_secret: secret }) })
    const { accessToken, claims } = await suite.flow(t, { client, ask })
    await verifyUserinfo(t, await fetch(suite.metadata.userinfo_endpoint, { headers: bearer(accessToken) }), claims)
  },
  'oidcc-claims-essential': async (t, suite) => {
    const { accessToken, claims } = await suite.flow(t, { parameters: { claims: JSON.stringify({ userinfo: { name: { essential: true } } }) } })
    const told = await verifyUserinfo(t, await fetch(suite.metadata.userinfo_endpoint, { headers: bearer(accessToken) }), claims)
    t.truthy(told.name)
    t.false('name' in claims)
  },
}
