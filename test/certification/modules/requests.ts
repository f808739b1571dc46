// Modules about how a request reaches the server, and about codes and refresh tokens that come again.
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { exportJWK, SignJWT, UnsecuredJWT } from 'jose'
import { z } from 'zod'
import { verifyIdToken, verifyTokenAnswer, verifyUserinfo } from '../conditions.ts'
import { type Modules, makeStatic, redirectUri, type Suite } from '../suite.ts'

const refused = async (t: ExecutionContext, response: Response, error: string) => {
  t.is(response.status, 400)
  t.regex(response.headers.get('content-type') ?? '', /^application\/json\b/)
  t.is(z.object({ error: z.string() }).parse(await response.json()).error, error)
}

/** Redeems a code, and once more after a while (RFC 6749 §4.1.2): refused, and what the first gave ends. */
export const codeReuse = (wait: () => Promise<unknown>) => async (t: ExecutionContext, suite: Suite) => {
  const { parameters, accessToken } = await suite.flow(t)
  await wait()
  await refused(t, await suite.token({ grant_type: 'authorization_code', code: parameters?.get('code') ?? '', redirect_uri: redirectUri }), 'invalid_grant')
  t.is((await fetch(suite.metadata.userinfo_endpoint, { headers: { authorization: `Bearer ${accessToken}` } })).status, 401)
}

// The suite skips these where `none` is not among the algorithms of request objects; what it would send must then not be believed.
const unsigned = (carry: (object: string) => Record<string, string>) => async (t: ExecutionContext, suite: Suite) => {
  t.false(JSON.stringify(suite.metadata.request_object_signing_alg_values_supported).includes('none'))
  const object = new UnsecuredJWT({ client_id: suite.first.clientId, redirect_uri: redirectUri, response_type: 'code', scope: 'openid' }).encode()
  const { parameters, pages } = await suite.authorize(t, { parameters: carry(object) })
  t.is(parameters?.get('code') ?? null, null)
  if (parameters) t.regex(parameters.get('error') ?? '', /^(?:invalid_request(?:_object|_uri)?|request_not_supported|request_uri_not_supported)$/)
  else t.is(pages.at(-1)?.status, 400)
}

export const requests: Modules = {
  'oidcc-codereuse': codeReuse(async () => undefined),
  'oidcc-ensure-registered-redirect-uri': async (t, suite) => {
    const { parameters, pages } = await suite.authorize(t, { parameters: { redirect_uri: `http://localhost:4000/${randomBytes(5).toString('hex')}` } })
    t.is(parameters, undefined)
    t.is(pages.length, 1)
    t.is(pages[0]?.status, 400)
    t.is(pages[0]?.location, undefined)
    t.true(pages[0]?.body.includes('redirect_uri'))
  },
  'oidcc-ensure-post-request-succeeds': async (t, suite) => {
    await suite.flow(t, { method: 'POST' })
  },
  'oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported': async (t, suite) => {
    t.not(suite.metadata.request_uri_parameter_supported, true)
    await unsigned(() => ({ request_uri: 'https://client.example/request.jwt' }))(t, suite)
  },
  'oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported': unsigned(request => ({ request })),
  'oidcc-ensure-request-object-with-redirect-uri': async (t, suite) => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'request', use: 'sig', alg: 'RS256' }] }
    const client = await makeStatic(suite.server, { metadata: { jwks, request_object_signing_alg: 'RS256' } })
    const asked = { client_id: client.clientId, redirect_uri: redirectUri, response_type: 'code', scope: 'openid', state: 'of-the-object', nonce: 'also' }
    const mode = suite.responseMode ? { response_mode: suite.responseMode } : {}
    const request = await new SignJWT({ ...asked, ...mode })
      .setProtectedHeader({ alg: 'RS256', kid: 'request' })
      .setIssuer(client.clientId)
      .setAudience(suite.metadata.issuer)
      .setIssuedAt()
      .setExpirationTime('1 minute')
      .sign(privateKey)
    const parameters = { request, redirect_uri: 'http://localhost:4000/elsewhere', state: asked.state, nonce: asked.nonce }
    await suite.flow(t, { client, parameters })
  },
  'oidcc-refresh-token': async (t, suite) => {
    const parameters = { scope: 'openid offline_access', prompt: 'consent' }
    const given = []
    for (const client of [suite.first, suite.second]) {
      const { answer, claims } = await suite.flow(t, { client, parameters })
      t.truthy(answer.refresh_token)
      const form = { grant_type: 'refresh_token', refresh_token: String(answer.refresh_token) }
      const again = await verifyTokenAnswer(t, await suite.token(form, client))
      t.not(again.access_token, answer.access_token)
      if (again.id_token !== undefined) {
        // OpenID Connect Core §12.2: the same issuer, subject and audience; auth_time of the sign-in; the nonce should be left out.
        const renewed = await verifyIdToken(t, String(again.id_token), { metadata: suite.metadata, clientId: client.clientId, nonce: null })
        for (const name of ['iss', 'sub', 'aud', 'auth_time', 'azp']) t.deepEqual(renewed[name], claims[name], name)
        t.true(Number(renewed.iat) >= Number(claims.iat))
      }
      const headers = { authorization: `Bearer ${again.access_token}` }
      await verifyUserinfo(t, await fetch(suite.metadata.userinfo_endpoint, { headers }), claims)
      given.push(String(again.refresh_token ?? answer.refresh_token))
    }
    await refused(t, await suite.token({ grant_type: 'refresh_token', refresh_token: given[1] ?? '' }, suite.first), 'invalid_grant')
  },
  'oidcc-ensure-request-with-valid-pkce-succeeds': async (t, suite) => {
    const verifier = randomBytes(32).toString('base64url')
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    await suite.flow(t, { verifier, parameters: { code_challenge: challenge, code_challenge_method: 'S256' } })
  },
}
