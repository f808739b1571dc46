// What a removed passkey leaves behind: sessions and tokens that it alone proved count as one factor.
import test from 'ava'
import * as client from 'openid-client'
import { makeClient } from '../support/clients.ts'
import { hiddenOf, oneFactor, open, twoFactors } from '../support/factor-journeys.ts'
import { enrol, makeHolder } from '../support/passkeys.ts'
import { createPerson } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

/** A person who signed in by passkey, at a client that keeps a refresh token. */
const signedIn = async () => {
  const holder = await makeHolder(server)
  const portal = await makeClient(server)
  const person = createPerson()
  const asked = await open(person, portal)
  const { csrf = '' } = hiddenOf(asked.page)
  const beside = (path: string) => new URL(`${asked.page.url.pathname}/${path}`, asked.page.url)
  const options = JSON.parse((await person.post(beside('passkey/options'), { csrf })).body)
  const proven = await person.post(beside('passkey'), { csrf, response: JSON.stringify(holder.authenticator.get(options)) })
  const tokens = await asked.redeem(await person.follow(proven, redirectUri))
  const remove = () => server.services.passkeys.remove(holder.actor, { user: holder.user, id: holder.passkey.id })
  return { holder, portal, person, tokens, remove }
}

/** Lets a session have been proven otherwise than it was. */
const proveOtherwise = async (userId: string, amr: readonly string[]) => {
  const { pool } = server.resources.database
  await pool.query("UPDATE oidc_artifacts SET payload = jsonb_set(payload::jsonb, '{amr}', $2::jsonb)::json WHERE account_id = $1 AND kind = 'Session'", [
    userId,
    JSON.stringify(amr),
  ])
  await pool.query('UPDATE sessions SET amr = $2 WHERE user_id = $1', [userId, amr])
}
const keptOf = async (userId: string) => (await server.resources.database.pool.query('SELECT amr FROM sessions WHERE user_id = $1', [userId])).rows[0]?.amr

test('a session, a refresh token and an access token that a removed passkey proved count as one factor', async t => {
  const { holder, portal, person, tokens, remove } = await signedIn()
  t.like(tokens.claims(), { acr: twoFactors, amr: ['hwk', 'user', 'mfa'] })
  await remove()
  t.deepEqual(await keptOf(holder.user.id), ['hwk', 'user'])
  t.like((await client.refreshTokenGrant(portal.configuration, tokens.refresh_token ?? '')).claims(), { acr: oneFactor, amr: ['hwk', 'user'] })
  t.is((await client.tokenIntrospection(portal.configuration, tokens.access_token)).acr, oneFactor)
  const quiet = await open(person, portal)
  t.like(await quiet.claims(quiet.page), { acr: oneFactor, amr: ['hwk', 'user'] })
})

test('whatever way it is removed by, it takes the same with it', async t => {
  const { holder } = await signedIn()
  await server.services.authenticators.remove(holder.actor, { user: holder.user, id: holder.passkey.id })
  t.deepEqual(await keptOf(holder.user.id), ['hwk', 'user'])
})

for (const [before, after] of [
  [['pwd', 'hwk', 'user', 'mfa'], ['pwd']],
  [
    ['pwd', 'otp', 'mfa'],
    ['pwd', 'otp', 'mfa'],
  ],
  [
    ['swk', 'user', 'mfa'],
    ['swk', 'user', 'mfa'],
  ],
] as const)
  test(`of a session proven by ${before} is left ${after}`, async t => {
    const { holder, portal, person, remove } = await signedIn()
    await proveOtherwise(holder.user.id, before)
    await remove()
    t.deepEqual(await keptOf(holder.user.id), [...after])
    const quiet = await open(person, portal)
    t.like(await quiet.claims(quiet.page), { amr: [...after], acr: after.length === 1 ? oneFactor : twoFactors })
  })

test('nobody else loses anything, and no app is taken for a passkey', async t => {
  const [one, other] = [await signedIn(), await signedIn()]
  const app = await makeUser(server)
  await one.remove()
  t.deepEqual(await keptOf(other.holder.user.id), ['hwk', 'user', 'mfa'])
  const { totps, users, passkeys, authenticators } = server.services
  const user = await users.find(app.id)
  if (!user) return t.fail()
  const { id } = await totps.enrol(one.holder.actor, { user })
  await t.throwsAsync(passkeys.remove(one.holder.actor, { user, id }))
  await server.resources.database.pool.query('UPDATE authenticators SET confirmed_at = now() WHERE id = $1', [id])
  await t.throwsAsync(passkeys.remove(one.holder.actor, { user, id }))
  t.is((await authenticators.list(user.id)).length, 1)
})

test('recovery codes go with the last factor, also where it is a passkey', async t => {
  const holder = await makeHolder(server)
  const second = await enrol(server, holder)
  const { recoveryCodes, passkeys } = server.services
  await recoveryCodes.issue(holder.actor, holder.user.id)
  await passkeys.remove(holder.actor, { user: holder.user, id: second.id })
  t.is((await recoveryCodes.count(holder.user.id)).left, 10)
  await passkeys.remove(holder.actor, { user: holder.user, id: holder.passkey.id })
  t.is((await recoveryCodes.count(holder.user.id)).left, 0)
})
