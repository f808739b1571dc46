// The races themselves, one function a single-use thing; the short and the long tests run the same.
import type { ExecutionContext } from 'ava'
import { basic, service } from './calls.ts'
import { authorizationQuery, codeOf, device, isDead, lenient, signer, type Track, tally, together } from './race.ts'

/** One round of one race: asserts who won. */
export type Contest = (t: ExecutionContext, track: Track, tries: number) => Promise<void>

/** What each is about, as the end of a test's title. */
export const contests: Readonly<Record<string, Contest>> = {
  'one authorization code is redeemed once, and nothing issued on it lives after the replays': async (t, track, tries) => {
    const made = await track.authorize(lenient)
    const replies = await together(tries, () => track.redeem(lenient, made))
    t.deepEqual(tally(replies), { 200: 1, '400 invalid_grant': tries - 1 })
    for (const winner of replies.filter(({ status }) => status === 200)) t.true(await isDead(track, lenient, winner))
  },
  'one refresh token without grace is rotated once, and its family does not live after the replays': async (t, track, tries) => {
    const first = await track.redeem(track.strict, await track.authorize(track.strict))
    const replies = await together(tries, () => track.refresh(track.strict, String(first.json.refresh_token)))
    t.deepEqual(tally(replies), { 200: 1, '400 invalid_grant': tries - 1 })
    for (const winner of replies.filter(({ status }) => status === 200)) t.true(await isDead(track, track.strict, winner))
  },
  'one refresh token within its grace has one successor, which lives': async (t, track, tries) => {
    const first = await track.redeem(lenient, await track.authorize(lenient))
    const replies = await together(tries, () => track.refresh(lenient, String(first.json.refresh_token)))
    t.deepEqual(tally(replies), { 200: tries })
    const successors = new Set(replies.map(({ json }) => json.refresh_token))
    t.is(successors.size, 1)
    t.false(successors.has(first.json.refresh_token))
    t.is((await track.refresh(lenient, String([...successors][0]))).status, 200)
  },
  'one pushed request is authorized once': async (t, track, tries) => {
    const pushed = await track.calls.post('/oauth2/par', Object.fromEntries(authorizationQuery(lenient, 'v'.repeat(43))), { authorization: basic(lenient) })
    t.is(pushed.status, 201)
    const query = new URLSearchParams({ client_id: lenient.id, request_uri: String(pushed.json.request_uri) })
    const replies = await together(tries, () => track.calls.call(`/oauth2/authorize?${query}`, { headers: { cookie: track.cookie } }))
    t.is(replies.filter(reply => codeOf(reply) !== undefined).length, 1)
    t.true(replies.every(({ status }) => status < 500))
  },
  'one client assertion authenticates once': async (t, track, tries) => {
    const form = {
      grant_type: 'client_credentials',
      client_id: signer.id,
      client_assertion: await track.assertion(),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    }
    t.deepEqual(tally(await together(tries, () => track.calls.post('/oauth2/token', form))), { 200: 1, '401 invalid_client': tries - 1 })
  },
  'one approved device code is redeemed once, and what was issued on it lives after the other polls': async (t, track, tries) => {
    const { calls, cookie } = track
    const polls = Math.max(tries, 20)
    const authorization = basic(device)
    const asked = await calls.post('/oauth2/device_authorization', { client_id: device.id, scope: 'openid' }, { authorization })
    const page = await calls.call('/device', { headers: { cookie } })
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
    const approved = await calls.post('/device', { xsrf, user_code: String(asked.json.user_code), confirm: 'yes' }, { cookie })
    t.is(approved.status, 200)
    const form = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: String(asked.json.device_code) }
    const poll = () => calls.post('/oauth2/token', form, { authorization })
    const replies = await together(polls, poll)
    t.deepEqual(tally([...replies, await poll()]), { 200: 1, '400 invalid_grant': polls })
    for (const { json } of replies.filter(({ status }) => status === 200)) {
      t.is((await calls.call('/oauth2/userinfo', { headers: { authorization: `Bearer ${json.access_token}` } })).status, 200)
      t.is((await track.refresh(device, String(json.refresh_token))).status, 200)
    }
  },
  'one DPoP proof is taken once': async (t, track, tries) => {
    const dpop = await track.proof()
    const ask = () => track.calls.post('/oauth2/token', { grant_type: 'client_credentials' }, { authorization: basic(service), dpop })
    t.deepEqual(tally(await together(tries, ask)), { 200: 1, '400 invalid_dpop_proof': tries - 1 })
  },
}
