// Whoever is suspended, demoted, removed, signed out or given another password changes nothing after that was answered: not by what they asked
// before either, which waited in a queue. The order of the log is the order of the commits.

import type { ExecutionContext } from 'ava'
import test from 'ava'
import { makeAdmin, password, startApi, type TestApi } from '../support/api.ts'
import { together } from '../support/race.ts'

const tries = 20

let api: TestApi
let admin: string
test.before(async () => {
  api = await startApi()
  admin = await makeAdmin(api)
})
test.after.always(() => api?.close())

type Person = Awaited<ReturnType<TestApi['signIn']>>

const makeRogue = async (): Promise<Person> => {
  const rogue = await api.signIn()
  await api.ask(`PATCH /users/${rogue.id}`, { token: admin, body: { system_role: 'admin' } })
  return rogue
}

/** Sends the ending in the midst of what the person asks for, and tells what they did after it by the log of one chain. */
const race = async (t: ExecutionContext, { asks, end }: { asks: readonly (() => Promise<{ status: number }>)[]; end: () => Promise<{ status: number }> }) => {
  const half = asks.length / 2
  const [before, ended, after] = [asks.slice(0, half).map(ask => ask()), end(), asks.slice(half).map(ask => ask())]
  t.is((await ended).status, 200)
  const replies = await Promise.all([...before, ...after])
  t.true(
    replies.every(({ status }) => [200, 201, 401, 403, 404, 503].includes(status)),
    JSON.stringify(replies.map(({ status }) => status)),
  )
  return replies
}

/** What somebody did after an event of another's. */
const doneSince = async ({ actorId, action, targetId }: { actorId: string; action: string; targetId: string }) => {
  const { prisma } = api.server.resources.database
  const ending = await prisma.auditEvent.findFirstOrThrow({ where: { action, targetId }, orderBy: { seq: 'desc' } })
  const where = { actorId, outcome: 'kept', organizationId: ending.organizationId, seq: { gt: ending.seq } }
  return (await prisma.auditEvent.findMany({ where })).map(one => one.action)
}

const makeUsers = (by: Person) =>
  Array.from(
    { length: tries },
    (_, index) => () =>
      api.ask('POST /users', { token: by.token, body: { email: `${by.id}-${index}@people.example`, password, system_role: index % 2 ? 'admin' : null } }),
  )

const endings: Readonly<Record<string, { action: string; end: (rogue: Person) => Promise<{ status: number }> }>> = {
  suspended: { action: 'user.suspended', end: ({ id }) => api.ask(`POST /users/${id}/suspend`, { token: admin }) },
  demoted: { action: 'user.updated', end: ({ id }) => api.ask(`PATCH /users/${id}`, { token: admin, body: { system_role: null } }) },
  'given another password': {
    action: 'password.set',
    end: ({ id }) => api.ask(`POST /users/${id}/password`, { token: admin, body: { password: 'quite another password' } }),
  },
  'signed out': { action: 'user.sessions_ended', end: ({ id }) => api.ask(`DELETE /users/${id}/sessions`, { token: admin }) },
}

for (const [title, { action, end }] of Object.entries(endings))
  test.serial(`an administrator who is ${title} makes nobody an administrator any more`, async t => {
    const rogue = await makeRogue()
    await race(t, { asks: makeUsers(rogue), end: () => end(rogue) })
    t.deepEqual(await doneSince({ actorId: rogue.id, action, targetId: rogue.id }), [])
  })

test.serial('who ends their other sessions is the last to act in them', async t => {
  const person = await api.signIn()
  const other = await api.signIn({ email: person.email })
  const asks = Array.from({ length: tries }, (_, index) => () => api.ask('PATCH /users/me', { token: other.token, body: { full_name: `Name ${index}` } }))
  await race(t, { asks, end: () => api.ask('DELETE /auth/sessions', { token: person.token }) })
  t.deepEqual(await doneSince({ actorId: person.id, action: 'session.ended', targetId: other.sessionId }), [])
})

const makeTeam = async () => {
  const [owner, other] = [await api.signIn(), await api.signIn()]
  const { id } = (await api.ask('POST /organizations', { token: owner.token, body: { name: `Team of ${owner.id}` } })).data
  await api.ask(`POST /organizations/${id}/members`, { token: owner.token, body: { user_id: other.id, role: 'admin' } })
  return { owner, other, id }
}

const workOf = (by: Person, organizationId: string) =>
  Array.from({ length: tries }, (_, index) => () => {
    const { token } = by
    const base = `/organizations/${organizationId}`
    const works = [
      () => api.ask('POST /api-keys', { token, body: { name: 'Left behind', organization_id: organizationId, permissions: ['members:read'] } }),
      () => api.ask(`POST ${base}/clients`, { token, body: { name: 'Left behind', redirect_uris: ['https://x.example/cb'] } }),
      () => api.ask(`PATCH ${base}/settings`, { token, body: { branding: { name: `Name ${index}` } } }),
      () => api.ask(`POST ${base}/domains`, { token, body: { domain: `d${index}-${organizationId}.example` } }),
    ]
    return works[index % works.length]?.() ?? Promise.reject()
  })

test.serial('who is demoted in an organization leaves nothing behind there afterwards', async t => {
  const { owner, other, id } = await makeTeam()
  await race(t, {
    asks: workOf(other, id),
    end: () => api.ask(`PATCH /organizations/${id}/members/${other.id}/role`, { token: owner.token, body: { role: 'member' } }),
  })
  t.deepEqual(await doneSince({ actorId: other.id, action: 'organization.member_role_changed', targetId: other.id }), [])
})

test.serial('who is removed from an organization leaves nothing behind there afterwards', async t => {
  const { owner, other, id } = await makeTeam()
  await race(t, { asks: workOf(other, id), end: () => api.ask(`DELETE /organizations/${id}/members/${other.id}`, { token: owner.token }) })
  t.deepEqual(await doneSince({ actorId: other.id, action: 'organization.member_removed', targetId: other.id }), [])
})

test.serial('a key that is revoked changes nothing afterwards', async t => {
  const { data } = await api.ask('POST /api-keys', { token: admin, body: { name: 'Key', permissions: ['users:write'] } })
  const asks = Array.from(
    { length: tries },
    (_, index) => () => api.ask('POST /users', { token: data.key, body: { email: `${data.api_key.id}-${index}@people.example`, password } }),
  )
  await race(t, { asks, end: () => api.ask(`DELETE /api-keys/${data.api_key.id}`, { token: admin }) })
  t.deepEqual(await doneSince({ actorId: data.api_key.id, action: 'api_key.revoked', targetId: data.api_key.id }), [])
})

test.serial('an import ends where its administrator is suspended', async t => {
  const rogue = await makeRogue()
  const users = Array.from({ length: 3000 }, (_, index) => ({ email: `${rogue.id}-${index}@people.example` }))
  const importing = api.ask('POST /users/import', { token: rogue.token, body: { users } })
  const { prisma } = api.server.resources.database
  while ((await prisma.user.count({ where: { email: { startsWith: rogue.id } } })) === 0) await new Promise(resolve => setTimeout(resolve, 5))
  t.is((await api.ask(`POST /users/${rogue.id}/suspend`, { token: admin })).status, 200)
  const { status, data } = await importing
  // Told what was made so far, where it met the ending under way.
  t.true(status === 401 || data.failed > 0)
  t.deepEqual(await doneSince({ actorId: rogue.id, action: 'user.suspended', targetId: rogue.id }), [])
})

test.serial('who ends their own access, leaves or demotes themselves is not in their own way', async t => {
  const rogue = await makeRogue()
  const { owner, other, id } = await makeTeam()
  t.is((await api.ask(`PATCH /users/${rogue.id}`, { token: rogue.token, body: { system_role: null } })).status, 200)
  t.is((await api.ask(`DELETE /organizations/${id}/members/${other.id}`, { token: other.token })).status, 200)
  t.is((await api.ask(`DELETE /organizations/${id}`, { token: owner.token })).status, 200)
  t.is(
    (await api.ask('POST /users/me/password', { token: other.token, body: { current_password: password, new_password: 'quite another password' } })).status,
    200,
  )
  t.is((await api.ask('POST /auth/logout', { token: other.token })).status, 200)
  t.is((await api.ask('DELETE /users/me', { token: rogue.token })).status, 200)
})

test.serial('many changes of one person at once are all made', async t => {
  const { owner, id } = await makeTeam()
  const replies = await together(tries, () => api.ask(`PATCH /organizations/${id}`, { token: owner.token, body: { description: `${Math.random()}` } }))
  const mine = await together(tries, () => api.ask('PATCH /users/me', { token: owner.token, body: { full_name: `${Math.random()}` } }))
  t.true([...replies, ...mine].every(({ status }) => status === 200))
})
