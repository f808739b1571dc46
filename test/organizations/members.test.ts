// Members: who may do what to whom, the last owner, who stays, and invitations, accepted once and only by who has shown that the address is theirs.

import { randomUUID } from 'node:crypto'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { Problem } from '../../src/platform/errors.ts'
import { startApi, type TestApi } from '../support/api.ts'
import { plant } from '../support/canaries.ts'
import { linkOf, linkToken, mailTo } from '../support/mails.ts'
import { makeOrganization } from '../support/organization.ts'
import { together } from '../support/race.ts'
import { makeUser } from '../support/users.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
  shared = await makeOrganization(api)
})
test.after.always(() => api?.close())

type Person = Awaited<ReturnType<TestApi['signIn']>>

const make = async () => {
  const [owner, admin, member, stranger] = [await api.signIn(), await api.signIn(), await api.signIn(), await api.signIn()]
  const made = await api.ask('POST /organizations', { token: owner.token, body: { name: `Org of ${owner.id}` } })
  const base = `/organizations/${made.data.id}`
  for (const [person, role] of [
    [admin, 'admin'],
    [member, 'member'],
  ] as const)
    await api.ask(`POST ${base}/members`, { token: owner.token, body: { user_id: person.id, role } })
  const setRole = (by: Person, whom: Person, role: string) => api.ask(`PATCH ${base}/members/${whom.id}/role`, { token: by.token, body: { role } })
  const remove = (by: Person, whom: Person) => api.ask(`DELETE ${base}/members/${whom.id}`, { token: by.token })
  return { owner, admin, member, stranger, base, id: made.data.id, setRole, remove }
}

test('who makes an organization is its owner, and adds people by id and by address', async t => {
  const { owner, stranger, base } = await make()
  const added = await api.ask(`POST ${base}/members`, { token: owner.token, body: { email: stranger.email.toUpperCase(), role: 'member' } })
  t.is(added.status, 201)
  t.like(added.data, { user_id: stranger.id, role: 'member' })
  t.is((await api.ask(`POST ${base}/members`, { token: owner.token, body: { user_id: stranger.id, role: 'member' } })).status, 409)
  t.is((await api.ask(`POST ${base}/members`, { token: owner.token, body: { email: 'nobody@people.example', role: 'member' } })).status, 404)
  const { data, meta } = await api.ask(`GET ${base}/members?limit=3`, { token: owner.token })
  t.deepEqual([data.length, meta?.total], [3, 4])
  t.is((await api.ask(`GET ${base}/members?limit=3&after=${meta?.next_cursor}`, { token: owner.token })).data.length, 1)
  t.is((await api.ask(`GET ${base}/members?role=owner`, { token: owner.token })).data[0].user.id, owner.id)
})

test('a stranger is told that there is no such organization, a plain member that they may not', async t => {
  const { owner, member, stranger, base, setRole, remove } = await make()
  t.is((await api.ask(`GET ${base}/members`, { token: stranger.token })).status, 404)
  t.is((await setRole(stranger, member, 'admin')).status, 404)
  t.is((await setRole(member, member, 'admin')).status, 403)
  t.is((await remove(member, owner)).status, 403)
  t.is((await api.ask(`PATCH ${base}`, { token: member.token, body: { name: 'Mine' } })).status, 403)
  t.is((await api.ask(`GET ${base}`, { token: member.token })).status, 200)
})

test('an admin neither makes nor touches owners', async t => {
  const { owner, admin, member, stranger, base, setRole, remove } = await make()
  t.is((await setRole(admin, member, 'owner')).status, 403)
  t.is((await setRole(admin, admin, 'owner')).status, 403)
  t.is((await setRole(admin, owner, 'member')).status, 403)
  t.is((await remove(admin, owner)).status, 403)
  t.is((await api.ask(`POST ${base}/members`, { token: admin.token, body: { user_id: stranger.id, role: 'owner' } })).status, 403)
  t.is((await setRole(admin, member, 'admin')).status, 200)
  t.is((await api.ask(`DELETE ${base}`, { token: admin.token })).status, 403)
})

test('the last owner does not leave, is not removed, demoted or deleted', async t => {
  const { owner, admin, base, setRole, remove } = await make()
  t.is((await remove(owner, owner)).status, 409)
  t.is((await setRole(owner, owner, 'admin')).status, 409)
  await t.throwsAsync(api.server.services.userAdministration.remove(systemActor, owner.id as never), { instanceOf: Problem, code: 'last_owner' as never })
  t.is((await setRole(owner, admin, 'owner')).status, 200)
  t.is((await remove(owner, owner)).status, 200)
  t.is((await api.ask(`GET ${base}`, { token: owner.token })).status, 404)
})

test('a member leaves by themselves', async t => {
  const { member, remove } = await make()
  t.is((await remove(member, member)).status, 200)
  t.is((await remove(member, member)).status, 404)
})

test('twenty demotions of the last two owners at once leave one', async t => {
  const { owner, admin, setRole, id } = await make()
  await setRole(owner, admin, 'owner')
  const replies = await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 ? setRole(owner, admin, 'member') : setRole(admin, owner, 'member'))))
  t.true(replies.every(({ status }) => [200, 403, 409].includes(status)))
  t.is(await api.server.resources.database.prisma.organizationMember.count({ where: { organizationId: id, role: 'owner' } }), 1)
})

test('twenty departures and demotions of the last two owners by the server at once leave one', async t => {
  const { owner, admin, setRole, id } = await make()
  await setRole(owner, admin, 'owner')
  const { members } = api.server.services
  const told = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => {
      const userId = index % 2 ? owner.id : admin.id
      return index % 4 < 2
        ? members.setRole(systemActor, { organizationId: id, userId, role: 'member' })
        : members.remove(systemActor, { organizationId: id, userId })
    }),
  )
  t.true(told.some(one => one.status === 'rejected' && one.reason.code === 'last_owner'))
  t.is(await api.server.resources.database.prisma.organizationMember.count({ where: { organizationId: id, role: 'owner' } }), 1)
})

test('a suspended owner is not the owner whom an organization keeps', async t => {
  const { owner, admin, base, setRole, remove } = await make()
  t.is((await setRole(owner, admin, 'owner')).status, 200)
  await api.server.services.userAdministration.suspend(systemActor, admin.id as never)
  t.is((await setRole(owner, owner, 'member')).status, 409)
  t.is((await remove(owner, owner)).status, 409)
  t.is((await api.ask(`GET ${base}`, { token: owner.token })).status, 200)
})

test('a member who is given the role they have leaves no event', async t => {
  const { owner, member, id, setRole } = await make()
  const { status, data } = await setRole(owner, member, 'member')
  t.deepEqual([status, data.role], [200, 'member'])
  const where = { organizationId: id, action: 'organization.member_role_changed' }
  t.is(await api.server.resources.database.prisma.auditEvent.count({ where }), 0)
})

let shared: Awaited<ReturnType<typeof makeOrganization>>

const newAddress = () => `${randomUUID()}@people.example`
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
  const email = newAddress()
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
  const stranger = newAddress()
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
    for (const role of roles) statuses.push((await shared.as(who)('POST /invitations', { email: newAddress(), role })).status)
    return statuses
  }
  const roles = ['owner', 'admin', 'member', 'inviter', 'reader']
  t.deepEqual(await tries(shared.owner, roles), [201, 201, 201, 201, 201])
  t.deepEqual(await tries(shared.admin, roles), [403, 201, 201, 201, 201])
  t.deepEqual(await tries(inviter, roles), [403, 403, 403, 201, 201])
  t.deepEqual(await tries(shared.member, roles), [403, 403, 403, 403, 403])
  t.deepEqual(await tries(stranger, ['owner', 'reader']), [404, 404])
  t.deepEqual(await tries(shared.owner, ['no-such-role']), [400])
  t.is((await shared.asMember(`DELETE /invitations/${(await invite(newAddress())).id}`)).status, 403)
})

test('what is no address is refused, and so is who is a member already', async t => {
  for (const email of ['ida', 'ida@', 'a@b.example\r\nBcc: c@d.example', '', 'x'.repeat(400), 7, null, ['a@b.example']])
    t.is((await shared.asOwner('POST /invitations', { email })).status, 400, String(email).slice(0, 30))
  t.is((await shared.asOwner('POST /invitations', { email: shared.member.email.toUpperCase() })).status, 409)
})

test('an address is invited five times a day at most', async t => {
  const email = newAddress()
  const statuses = []
  for (let count = 0; count < 6; count += 1) statuses.push((await shared.asOwner('POST /invitations', { email })).status)
  t.deepEqual(statuses, [201, 201, 201, 201, 201, 429])
  t.is((await shared.asOwner('POST /invitations', { email: newAddress() })).status, 201)
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
  const email = newAddress()
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
  t.is((await organization.asOwner(`DELETE /roles/${roleId}`)).status, 409)
  await sql('DELETE FROM organization_roles WHERE id = $1', [roleId])
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
