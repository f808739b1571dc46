// Invitations: made by who may hand out the role, mailed once, accepted once, and only by who has shown that the address is theirs.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { startApi, type TestApi } from '../support/api.ts'
import { plant } from '../support/canaries.ts'
import { linkOf, linkToken, mailTo } from '../support/mails.ts'
import { makeOrganization } from '../support/organization.ts'
import { together } from '../support/race.ts'
import { makeUser } from '../support/users.ts'

let api: TestApi
let shared: Awaited<ReturnType<typeof makeOrganization>>
test.before(async () => {
  api = await startApi()
  shared = await makeOrganization(api)
})
test.after.always(() => api?.close())

const someone = () => `${randomUUID()}@people.example`
const sql = async (text: string, values: unknown[]) => (await api.server.resources.database.pool.query(text, values)).rows

/** Invites, and reads the secret of the newest mail's link. */
const invite = async (
  email: string,
  { role = 'member', organization = shared, count = 1 }: { role?: string; organization?: typeof shared; count?: number } = {},
) => {
  const { status, data } = await organization.asOwner('POST /invitations', { email, role })
  if (status !== 201) throw new Error(`inviting answered ${status}`)
  return { id: String(data.id), token: plant(linkToken(await mailTo(api.server, email.toLowerCase(), 'invited', count))) }
}
const accept = (who: { token: string }, token: string) => api.ask('POST /users/me/invitations/accept', { token: who.token, body: { token } })
const isOpen = async (id: string, organization = shared) => (await organization.asOwner(`GET /invitations/${id}`)).status === 200
const roleOf = async (who: { id: string }, organization = shared) =>
  (await organization.asOwner('GET /members?limit=100')).data.find(({ user }: { user: { id: string } }) => user.id === who.id)?.role

test('an invitation is mailed once, in the language that was named, with a link to this server, and listed for 72 hours', async t => {
  const email = someone()
  const before = Date.now()
  const { status, data } = await shared.asAdmin('POST /invitations', { email: email.toUpperCase(), role: 'admin', locale: 'de' })
  t.is(status, 201)
  t.like(data, { email, role: 'admin', organization_id: shared.id, invited_by: shared.admin.id })
  const hours = (Date.parse(data.expires_at) - before) / 3_600_000
  t.true(hours > 71.9 && hours < 72.1)
  const mail = await mailTo(api.server, email, 'eingeladen')
  const link = linkOf(mail)
  t.is(link.origin, api.server.issuer)
  t.regex(link.pathname, /^\/account\/invitation\/[\w-]{43}$/)
  t.true(mail.text.includes('A Test Person') && mail.text.includes('72'))
  t.is((await api.server.mailsTo(email)).length, 1)
  t.deepEqual(
    (await shared.asMember('GET /invitations?limit=100')).data.filter((one: { id: string }) => one.id === data.id),
    [data],
  )
  t.deepEqual((await shared.asMember(`GET /invitations/${data.id}`)).data, data)
})

test('where no language is named the mail is in the person’s own, and a stranger’s in the organization’s', async t => {
  const organization = await makeOrganization(api)
  await organization.asOwner('PATCH /settings', { branding: { default_language: 'ja' } })
  const who = await api.signIn()
  await api.ask('PATCH /users/me', { token: who.token, body: { locale: 'fr' } })
  const stranger = someone()
  for (const email of [who.email, stranger]) t.is((await organization.asOwner('POST /invitations', { email })).status, 201)
  t.truthy(await mailTo(api.server, who.email, 'Vous êtes invité'))
  t.truthy(await mailTo(api.server, stranger, '招待'))
})

test('nobody invites to a role that may do more than they may, and only who may change members invites at all', async t => {
  await shared.asOwner('POST /roles', { name: 'inviter', permissions: ['members:read', 'members:write'] })
  await shared.asOwner('POST /roles', { name: 'reader', permissions: ['members:read'] })
  const inviter = await api.signIn()
  await shared.asOwner('POST /members', { user_id: inviter.id, role: 'inviter' })
  const stranger = await api.signIn()
  const tries = async (who: typeof inviter, roles: readonly string[]) => {
    const statuses = []
    for (const role of roles) statuses.push((await shared.as(who)('POST /invitations', { email: someone(), role })).status)
    return statuses
  }
  const roles = ['owner', 'admin', 'member', 'inviter', 'reader']
  t.deepEqual(await tries(shared.owner, roles), [201, 201, 201, 201, 201])
  t.deepEqual(await tries(shared.admin, roles), [403, 201, 201, 201, 201])
  t.deepEqual(await tries(inviter, roles), [403, 403, 403, 201, 201])
  t.deepEqual(await tries(shared.member, roles), [403, 403, 403, 403, 403])
  t.deepEqual(await tries(stranger, ['owner', 'reader']), [404, 404])
  t.deepEqual(await tries(shared.owner, ['no-such-role']), [400])
  t.is((await shared.asMember(`DELETE /invitations/${(await invite(someone())).id}`)).status, 403)
})

test('what is no address is refused, and so is who is a member already', async t => {
  for (const email of ['ida', 'ida@', 'a@b.example\r\nBcc: c@d.example', '', 'x'.repeat(400), 7, null, ['a@b.example']])
    t.is((await shared.asOwner('POST /invitations', { email })).status, 400, String(email).slice(0, 30))
  t.is((await shared.asOwner('POST /invitations', { email: shared.member.email.toUpperCase() })).status, 409)
})

test('an address is invited five times a day at most', async t => {
  const email = someone()
  const statuses = []
  for (let count = 0; count < 6; count += 1) statuses.push((await shared.asOwner('POST /invitations', { email })).status)
  t.deepEqual(statuses, [201, 201, 201, 201, 201, 429])
  t.is((await shared.asOwner('POST /invitations', { email: someone() })).status, 201)
})

test('whoever has the invited address joins with the role, once', async t => {
  const who = await api.signIn()
  const { id, token } = await invite(who.email, { role: 'admin' })
  const { status, data } = await accept(who, token)
  t.is(status, 200)
  t.like(data, { role: 'admin', organization: { id: shared.id } })
  t.is(await roleOf(who), 'admin')
  t.false(await isOpen(id))
  t.is((await accept(who, token)).status, 404)
  t.is((await shared.asOwner(`DELETE /invitations/${id}`)).status, 404)
})

test('of twenty who accept at once one joins', async t => {
  const who = await api.signIn()
  const { token } = await invite(who.email)
  const statuses = (await together(20, () => accept(who, token))).map(({ status }) => status)
  t.deepEqual(statuses.toSorted(), [200, ...Array(19).fill(404)])
  const told = await sql("SELECT action FROM audit_events WHERE organization_id = $1 AND target->>'user_id' = $2", [shared.id, who.id])
  t.is(told.length, 1)
})

test('nobody else accepts it: not another, not who did not prove the address, not who has another by now; then it is still good', async t => {
  const [who, other] = [await api.signIn(), await api.signIn()]
  const { id, token } = await invite(who.email)
  t.is((await accept(other, token)).status, 403)
  await sql('UPDATE users SET email_verified_at = NULL WHERE id = $1', [who.id])
  t.is((await accept(who, token)).status, 403)
  await sql('UPDATE users SET email_verified_at = now() WHERE id = $1', [who.id])
  await sql("UPDATE users SET email = 'moved-' || email, email_normalized = 'moved-' || email_normalized WHERE id = $1", [who.id])
  t.is((await accept(who, token)).status, 403)
  t.is((await api.ask('POST /users/me/invitations/accept', { body: { token } })).status, 401)
  t.is(await roleOf(who), undefined)
  t.true(await isOpen(id))
  // Whoever has the address now is who was invited.
  await makeUser(api.server, { email: who.email })
  t.is((await accept(await api.signIn({ email: who.email }), token)).status, 200)
})

test('a second invitation to the same address voids the first, however they are written and whatever their roles', async t => {
  const who = await api.signIn()
  const first = await invite(who.email, { role: 'admin' })
  const second = await invite(who.email.toUpperCase(), { count: 2 })
  t.deepEqual([await isOpen(first.id), await isOpen(second.id)], [false, true])
  t.is((await accept(who, first.token)).status, 404)
  t.is((await accept(who, second.token)).status, 200)
  t.is(await roleOf(who), 'member')
})

test('of five invitations to one address at once one is open', async t => {
  const organization = await makeOrganization(api)
  const email = someone()
  const statuses = (await together(5, () => organization.asOwner('POST /invitations', { email }))).map(({ status }) => status)
  t.deepEqual(statuses, [201, 201, 201, 201, 201])
  t.is((await organization.asOwner('GET /invitations')).meta?.total, 1)
})

test('an invitation that was taken back, or is over, is good for nothing and not listed', async t => {
  const who = await api.signIn()
  const revoked = await invite(who.email)
  t.is((await (await makeOrganization(api)).asOwner(`DELETE /invitations/${revoked.id}`)).status, 404)
  t.is((await shared.asAdmin(`DELETE /invitations/${revoked.id}`)).status, 200)
  t.is((await shared.asAdmin(`DELETE /invitations/${revoked.id}`)).status, 404)
  t.is((await accept(who, revoked.token)).status, 404)
  const over = await invite(who.email, { count: 2 })
  await sql("UPDATE invitations SET expires_at = now() - interval '1 second' WHERE id = $1", [over.id])
  t.is((await accept(who, over.token)).status, 404)
  t.is((await shared.asAdmin(`DELETE /invitations/${over.id}`)).status, 404)
  for (const { id } of [revoked, over]) t.false(await isOpen(id))
  const listed = (await shared.asOwner('GET /invitations?limit=100')).data.map(({ email }: { email: string }) => email)
  t.false(listed.includes(who.email))
  t.is(await roleOf(who), undefined)
})

test('an invitation to an organization or role that is no more is over, and who is a member by now does not join twice', async t => {
  const organization = await makeOrganization(api)
  const who = await api.signIn()
  await organization.asOwner('POST /roles', { name: 'reader', permissions: ['members:read'] })
  const { data: roles } = await organization.asOwner('GET /roles?limit=100')
  const { token } = await invite(who.email, { role: 'reader', organization })
  const { id: roleId } = roles.find(({ name }: { name: string }) => name === 'reader')
  t.is((await organization.asOwner(`DELETE /roles/${roleId}`)).status, 200)
  t.is((await accept(who, token)).status, 404)

  const second = await invite(who.email, { role: 'admin', organization, count: 2 })
  await organization.asOwner('POST /members', { user_id: who.id, role: 'member' })
  t.is((await accept(who, second.token)).status, 409)
  t.is(await roleOf(who, organization), 'member')
  await organization.asOwner(`DELETE /members/${who.id}`)

  const third = await invite(who.email, { organization, count: 3 })
  t.is((await organization.asOwner('DELETE ')).status, 200)
  t.is((await accept(who, third.token)).status, 404)
})

test('a token that no invitation has is told to be over, whatever it is made of', async t => {
  const who = await api.signIn()
  const { token } = await invite(who.email)
  for (const hostile of [
    token.slice(1),
    `${token}A`,
    token.toUpperCase(),
    ` ${token}`,
    "' OR 1=1 --",
    '../../etc/passwd',
    '<script>',
    'é'.repeat(43),
    '\u{1f642}',
  ])
    t.is((await accept(who, hostile)).status, 404, hostile)
  for (const hostile of ['\0', 'x'.repeat(201), 7, null, { token }, [token]])
    t.is((await accept(who, hostile as never)).status, 400, String(hostile).slice(0, 20))
  t.is((await accept(who, token)).status, 200)
})

test('the secret of a link stands in no table, no event and no answer', async t => {
  const who = await api.signIn()
  const { id, token } = await invite(who.email)
  const listed = JSON.stringify((await shared.asOwner('GET /invitations?limit=100')).data)
  t.true(listed.includes(id))
  t.false(listed.includes(token))
  await accept(who, token)
  const rows = [
    ...(await sql('SELECT row_to_json(i)::text AS text FROM invitations i WHERE id = $1', [id])),
    ...(await sql('SELECT row_to_json(e)::text AS text FROM audit_events e WHERE organization_id = $1', [shared.id])),
  ]
  t.true(rows.length > 3)
  for (const { text } of rows) t.false(text.includes(token))
  const told = await sql("SELECT action, actor_id FROM audit_events WHERE target_id = $1 OR (target_id = $2 AND action LIKE 'organization.%') ORDER BY seq", [
    id,
    who.id,
  ])
  t.deepEqual(
    told.map(({ action, actor_id }) => [action, actor_id]),
    [
      ['invitation.created', shared.owner.id],
      ['invitation.accepted', who.id],
      ['organization.member_added', who.id],
    ],
  )
  t.false(api.server.logged().includes(token))
})
