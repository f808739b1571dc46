// oidcc-backchannel-rp-initiated-logout-certification-test-plan: each module of the public plan by its name, by a double of ours.
import test from 'ava'
import { decodeJwt } from 'jose'
import { startLogoutReceiver } from '../support/logout-receiver.ts'
import { until } from '../support/until.ts'
import { endSession, isSignedOut, leadsBack, postLogoutRedirectUri, signedIn } from './sign-out.ts'
import { makeStatic, type Suite, startSuite } from './suite.ts'

let suite: Suite
test.before(async () => {
  suite = await startSuite()
})
test.after.always(() => suite?.close())

test('oidcc-backchannel-logout-discovery-endpoint-verification', t => {
  t.true(suite.metadata.backchannel_logout_supported)
  t.true(suite.metadata.backchannel_logout_session_supported)
  t.truthy(suite.metadata.end_session_endpoint)
})

test('oidcc-backchannel-rp-initiated-logout', async t => {
  const receiver = await startLogoutReceiver()
  t.teardown(receiver.close)
  const metadata = { backchannel_logout_uri: receiver.uri, backchannel_logout_session_required: true }
  const client = await makeStatic(suite.server, { postLogoutRedirectUris: [postLogoutRedirectUri], metadata })
  const { person, claims, idToken, state } = await signedIn(t, suite, client)
  const parameters = { id_token_hint: idToken, post_logout_redirect_uri: postLogoutRedirectUri, state }
  const { answered } = await endSession(suite, person, parameters)
  t.true(leadsBack(answered))
  t.deepEqual(Object.fromEntries(answered.location?.searchParams ?? []), { state })

  await until(() => receiver.posted.length > 0)
  t.deepEqual([...(receiver.posted[0]?.form.keys() ?? [])], ['logout_token'])
  const [token] = await receiver.tokens(suite.metadata.issuer, client.clientId)
  // Back-Channel Logout 1.0 §2.4
  t.deepEqual(token?.events, { 'http://schemas.openid.net/event/backchannel-logout': {} })
  t.is(token?.sub, claims.sub)
  t.truthy(token?.sid)
  t.is(token?.sid, decodeJwt(idToken).sid)
  t.is(token?.nonce, undefined)
  t.true(await isSignedOut(t, suite, { person, client }))
})
