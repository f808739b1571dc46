// Invitations between the mail and the answer: they end with the right of who made them, and give the role that was meant.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { type ApiReply, startApi, type TestApi } from '../support/api.ts'
import { plant } from '../support/canaries.ts'
import { linkToken, mailTo } from '../support/mails.ts'
import { makeOrganization } from '../support/organization.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

type Organization = Awaited<ReturnType<typeof makeOrganization>>
type Person = Awaited<ReturnType<TestApi['signIn']>>

const inviting = ['members:read', 'members:write', 'organizations:read']

/** Has somebody invited: `ask` makes the invitation. */
const invite = async (organization: Organization, ask: (operation: string, body: unknown) => Promise<ApiReply>, role: string) => {
  const who = await api.signIn()
  const { status, data } = await ask('POST /invitations', { email: who.email, role })
  if (status !== 201) throw new Error(`inviting answered ${status}`)
  const token = plant(linkToken(await mailTo(api.server, who.email, 'invited')))
  return {
    who,
    id: String(data.id),
    accept: () => api.ask('POST /users/me/invitations/accept', { token: who.token, body: { token } }),
    isFound: async () => (await api.server.services.invitations.find(token)) !== undefined,
    isOpen: async () => (await organization.asOwner(`GET /invitations/${data.id}`)).status === 200,
    role: async () => (await organization.asOwner('GET /members?limit=100')).data.find(({ user }: { user: { id: string } }) => user.id === who.id)?.role,
  }
}
const join = async ({ asOwner, as }: Organization, role: string) => {
  const person = await api.signIn()
  await asOwner('POST /members', { user_id: person.id, role })
  return { person, ask: as(person) }
}

interface Loss {
  lose(organization: Organization, inviter: Person): Promise<unknown>
  regain?(organization: Organization, inviter: Person): Promise<unknown>
}

const losses: Record<string, Loss> = {
  removed: {
    lose: ({ asOwner }, { id }) => asOwner(`DELETE /members/${id}`),
    regain: ({ asOwner }, { id }) => asOwner('POST /members', { user_id: id, role: 'admin' }),
  },
  gone: { lose: ({ as }, inviter) => as(inviter)(`DELETE /members/${inviter.id}`) },
  demoted: {
    lose: ({ asOwner }, { id }) => asOwner(`PATCH /members/${id}/role`, { role: 'member' }),
    regain: ({ asOwner }, { id }) => asOwner(`PATCH /members/${id}/role`, { role: 'admin' }),
  },
  suspended: {
    lose: (_, { id }) => api.server.services.userAdministration.suspend(systemActor, id as never),
    regain: (_, { id }) => api.server.services.userAdministration.activate(systemActor, id as never),
  },
  deleted: { lose: (_, { id }) => api.server.services.userAdministration.remove(systemActor, id as never) },
}

for (const [how, { lose, regain }] of Object.entries(losses))
  test(`an invitation of an admin who is ${how} by now is over, for good once it was tried`, async t => {
    const organization = await makeOrganization(api)
    const { person, ask } = await join(organization, 'admin')
    const invited = await invite(organization, ask, 'admin')
    t.true(await invited.isFound())
    await lose(organization, person)
    t.false(await invited.isFound())
    t.is((await invited.accept()).status, 404)
    t.is(await invited.role(), undefined)
    t.false(await invited.isOpen())
    await regain?.(organization, person)
    t.is((await invited.accept()).status, 404)
    const { pool } = api.server.resources.database
    const { rows } = await pool.query('SELECT action, organization_id FROM audit_events WHERE target_id = $1 ORDER BY seq', [invited.id])
    t.deepEqual(rows, [
      { action: 'invitation.created', organization_id: organization.id },
      { action: 'invitation.revoked', organization_id: organization.id },
    ])
  })

test('an invitation to a role that its maker may not hand out any more is over, one to a role that they may is good', async t => {
  const organization = await makeOrganization(api)
  await organization.asOwner('POST /roles', { name: 'inviter', permissions: inviting })
  await organization.asOwner('POST /roles', { name: 'reader', permissions: ['members:read'] })
  const { person, ask } = await join(organization, 'admin')
  const [high, low] = [await invite(organization, ask, 'admin'), await invite(organization, ask, 'reader')]
  await organization.asOwner(`PATCH /members/${person.id}/role`, { role: 'inviter' })
  t.deepEqual([(await high.accept()).status, (await low.accept()).status], [404, 200])
  t.deepEqual([await high.role(), await low.role()], [undefined, 'reader'])
})

test('an invitation is over when the role of its maker allows no inviting any more', async t => {
  const organization = await makeOrganization(api)
  await organization.asOwner('POST /roles', { name: 'inviter', permissions: inviting })
  await organization.asOwner('POST /roles', { name: 'reader', permissions: ['members:read'] })
  const { ask } = await join(organization, 'inviter')
  const invited = await invite(organization, ask, 'reader')
  await organization.asOwner('PATCH /roles/inviter', { permissions: ['members:read'] })
  t.is((await invited.accept()).status, 404)
})

test('an owner who is one no more has invited no owners', async t => {
  const organization = await makeOrganization(api)
  const { person, ask } = await join(organization, 'owner')
  const invited = await invite(organization, ask, 'owner')
  await organization.asOwner(`PATCH /members/${person.id}/role`, { role: 'admin' })
  t.is((await invited.accept()).status, 404)
  t.is(await invited.role(), undefined)
})

test('an administrator of the system invites as long as they are one', async t => {
  const organization = await makeOrganization(api)
  const administrator = await api.signIn()
  const { userAdministration } = api.server.services
  await userAdministration.update(systemActor, administrator.id as never, { isAdmin: true })
  const token = (await api.signIn({ email: administrator.email })).token
  const ask = (operation: string, body: unknown) => api.ask(operation.replace(' ', ` ${organization.base}`), { token, body })
  const [first, second] = [await invite(organization, ask, 'owner'), await invite(organization, ask, 'owner')]
  t.is((await first.accept()).status, 200)
  t.is(await first.role(), 'owner')
  await userAdministration.update(systemActor, administrator.id as never, { isAdmin: false })
  t.is((await second.accept()).status, 404)
})

test('an invitation by an API key, which no person made, is good until it is taken back', async t => {
  const organization = await makeOrganization(api)
  const { permissions } = (await organization.asOwner('GET /roles/member')).data
  const given = { name: 'A key', organization_id: organization.id, permissions: ['members:write', ...permissions] }
  const { data } = await api.ask('POST /api-keys', { token: organization.owner.token, body: given })
  const ask = (operation: string, body: unknown) => api.ask(operation.replace(' ', ` ${organization.base}`), { token: data.key, body })
  const [first, second] = [await invite(organization, ask, 'member'), await invite(organization, ask, 'member')]
  t.is((await api.ask(`DELETE /api-keys/${data.api_key.id}`, { token: organization.owner.token })).status, 200)
  t.is((await first.accept()).status, 200)
  await organization.asOwner(`DELETE /invitations/${second.id}`)
  t.is((await second.accept()).status, 404)
})

test('an invitation is in the language that is named, and what is no language is refused', async t => {
  const { asOwner } = await makeOrganization(api)
  for (const locale of ['', 'd', '../de', 'de_AT', 'de\n', 'german language', 'x'.repeat(36)])
    t.is((await asOwner('POST /invitations', { email: 'invited@example.com', locale })).status, 400, JSON.stringify(locale))
  t.is((await asOwner('POST /invitations', { email: 'german@example.com', locale: 'de-AT' })).status, 201)
  t.regex((await mailTo(api.server, 'german@example.com', 'eingeladen')).text, /lädt Sie ein/)
})

test('the mail to whoever is invited carries no name that mail programs make a link of', async t => {
  const { id, owner, asOwner } = await makeOrganization(api)
  const { pool } = api.server.resources.database
  await pool.query("UPDATE organizations SET name = 'Win at www.evil.example' WHERE id = $1", [id])
  await pool.query("UPDATE users SET name = 'See https://evil.example' WHERE id = $1", [owner.id])
  await asOwner('POST /invitations', { email: 'stranger@example.com' })
  const { subject, text, html } = await mailTo(api.server, 'stranger@example.com', 'invited')
  t.false(`${subject} ${text} ${html}`.includes('evil.example'))
  t.true(text.includes(id) && text.includes(owner.email), text)
})

const makeHelper = async () => {
  const organization = await makeOrganization(api)
  await organization.asOwner('POST /roles', { name: 'helper', permissions: ['members:read'] })
  const invited = await invite(organization, organization.asAdmin, 'helper')
  return { organization, asOwner: organization.asOwner, invited }
}

test('whoever was invited to a role that is renamed has it, and none that is called so by now', async t => {
  const { asOwner, invited } = await makeHelper()
  t.is((await asOwner('PATCH /roles/helper', { name: 'adviser' })).status, 200)
  t.is((await asOwner('POST /roles', { name: 'helper', permissions: ['members:read', 'members:write', 'roles:write'] })).status, 201)
  t.is((await asOwner(`GET /invitations/${invited.id}`)).data.role, 'adviser')
  const { status, data } = await invited.accept()
  t.deepEqual([status, data.role, await invited.role()], [200, 'adviser', 'adviser'])
})

test('a role is renamed for its own invitations alone', async t => {
  const [first, second] = [await makeHelper(), await makeHelper()]
  const other = await invite(first.organization, first.asOwner, 'member')
  await first.asOwner('PATCH /roles/helper', { name: 'adviser' })
  t.is((await second.asOwner(`GET /invitations/${second.invited.id}`)).data.role, 'helper')
  t.is((await first.asOwner(`GET /invitations/${other.id}`)).data.role, 'member')
})

test('a role to which somebody is invited is not deleted, and is once nobody can accept', async t => {
  const { asOwner, invited } = await makeHelper()
  t.is((await asOwner('DELETE /roles/helper')).status, 409)
  await asOwner(`DELETE /invitations/${invited.id}`)
  t.is((await asOwner('DELETE /roles/helper')).status, 200)

  const second = await makeHelper()
  await api.server.resources.database.pool.query("UPDATE invitations SET expires_at = now() - interval '1 second' WHERE id = $1", [second.invited.id])
  t.is((await second.asOwner('DELETE /roles/helper')).status, 200)
})

test('whoever was invited gets the role as it became, unless who invited may not hand that out', async t => {
  const { organization, asOwner, invited } = await makeHelper()
  const byOwner = await invite(organization, asOwner, 'helper')
  await asOwner('PATCH /roles/helper', { permissions: ['members:read', 'organizations:delete'] })
  t.deepEqual([(await invited.accept()).status, (await byOwner.accept()).status], [404, 200])
  t.deepEqual([await invited.role(), await byOwner.role()], [undefined, 'helper'])
})

test('accepting while the role is renamed joins with the role, whichever comes first', async t => {
  for (let round = 0; round < 5; round += 1) {
    const { asOwner, invited } = await makeHelper()
    const [accepted, renamed] = await Promise.all([invited.accept(), asOwner('PATCH /roles/helper', { name: 'adviser' })])
    t.deepEqual([accepted.status, renamed.status, await invited.role()], [200, 200, 'adviser'])
  }
})

test('accepting while one is invited again ends as if one came after the other', async t => {
  const organization = await makeOrganization(api)
  for (let round = 0; round < 10; round += 1) {
    const { accept, who } = await invite(organization, organization.asOwner, 'member')
    const [accepted, invited] = await Promise.all([accept(), organization.asOwner('POST /invitations', { email: who.email })])
    t.true(['200 409', '404 201'].includes(`${accepted.status} ${invited.status}`), `${accepted.status} ${invited.status}`)
  }
})
