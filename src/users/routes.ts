// The operations on users, for the administrators of the system.
import { z } from 'zod'
import type { AssignedPasswords } from '../authentication/assigned-passwords.ts'
import { type Lists, listQuery } from '../platform/http/list.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { languageTag, mailedName, text, words } from '../platform/http/text.ts'
import type { ApiSessions } from '../sessions/api-sessions.ts'
import { sessionOutput, toSessionOutput } from '../sessions/session.ts'
import type { UserAdministration } from './administration.ts'
import { toUserOutput as output, type User, userIdSchema, userOutput, userStatuses } from './user.ts'

interface Needs {
  readonly userAdministration: UserAdministration
  readonly assignedPasswords: AssignedPasswords
  readonly apiSessions: ApiSessions
  readonly lists: Lists
}

const read = { permission: 'users:read' } as const
const write = { permission: 'users:write' } as const
const writeKnown = { ...write, comparesVersion: true } as const
const params = z.strictObject({ id: userIdSchema })
const email = text(320)
const password = text(1024)
const fullName = mailedName(200)
const systemRole = z.enum(['admin'])
const picture = z.url({ protocol: /^https?$/ }).max(2000)

/** What a new user is made of. */
export const newUserBody = z.strictObject({
  email,
  password: password.optional(),
  full_name: fullName.optional(),
  email_verified: z.boolean().optional(),
  system_role: systemRole.nullish(),
})

/** Makes the routes. */
export const createUserRoutes = (needs: Needs): readonly Route[] => [...kept(needs), ...states(needs), ...sessions(needs)]

const kept = ({ userAdministration: users, assignedPasswords, lists }: Needs): readonly Route[] => [
  route({
    ...read,
    method: 'GET',
    path: '/users',
    summary: 'The users, the newest first; deleted ones only where `status` asks for them.',
    query: listQuery({
      sorts: ['-created_at', 'created_at'],
      filters: { email: email.optional(), status: z.enum(userStatuses).optional(), q: words(200).optional() },
    }),
    output: z.array(userOutput),
    handle: async ({ query }) => {
      const list = lists.open('users', query)
      const page = { limit: list.limit, after: list.after?.[0], isAscending: query.sort === 'created_at' }
      const { data, meta } = list.page({ ...(await users.list({ email: query.email, status: query.status, q: query.q }, page)), cursorOf: user => [user.id] })
      return { data: data.map(output), meta }
    },
  }),
  route({
    ...write,
    method: 'POST',
    path: '/users',
    summary: 'Makes a user.',
    body: newUserBody,
    output: userOutput,
    status: 201,
    handle: async ({ actor, body }) => {
      const isAdmin = body.system_role === 'admin'
      const user = await assignedPasswords.createUser(actor, {
        email: body.email,
        name: body.full_name,
        isEmailVerified: body.email_verified,
        isAdmin,
        password: body.password,
      })
      return { data: output(user), version: user.updatedAt }
    },
  }),
  route({
    ...read,
    method: 'GET',
    path: '/users/:id',
    summary: 'One user.',
    params,
    output: userOutput,
    handle: async ({ params }) => answer(await users.get(params.id)),
  }),
  route({
    ...writeKnown,
    method: 'PATCH',
    path: '/users/:id',
    summary: 'Changes a user; what is not named stays.',
    params,
    body: z
      .strictObject({
        email,
        email_verified: z.boolean(),
        full_name: fullName.nullable(),
        picture: picture.nullable(),
        locale: languageTag.nullable(),
        system_role: systemRole.nullable(),
      })
      .partial(),
    output: userOutput,
    handle: async ({ actor, params, body, ifMatch }) => {
      const { email_verified: isEmailVerified, full_name: name, system_role: role, ...plain } = body
      const changes = { ...plain, name, isEmailVerified, isAdmin: role === undefined ? undefined : role === 'admin' }
      return answer(await users.update(actor, params.id, { ...changes, expect: ifMatch }))
    },
  }),
  route({
    ...writeKnown,
    method: 'DELETE',
    path: '/users/:id',
    summary: 'Deletes a user; can be undone for 30 days.',
    params,
    output: done,
    handle: async ({ actor, params, ifMatch }) => {
      await users.remove(actor, params.id, { expect: ifMatch })
      return { data: null }
    },
  }),
]

const states = ({ userAdministration: users, assignedPasswords }: Needs): readonly Route[] => {
  const transition = (name: 'suspend' | 'activate', summary: string) =>
    route({
      ...writeKnown,
      method: 'POST',
      path: `/users/:id/${name}`,
      summary,
      params,
      output: userOutput,
      handle: async ({ actor, params, ifMatch }) => answer(await users[name](actor, params.id, { expect: ifMatch })),
    })
  return [
    transition('suspend', 'Suspends a user: every session and token ends at once.'),
    transition('activate', 'Lets a suspended user sign in again.'),
    route({
      ...write,
      method: 'POST',
      path: '/users/:id/restore',
      summary: 'Brings back a user who was deleted in the last 30 days.',
      params,
      output: userOutput,
      handle: async ({ actor, params }) => answer(await users.restore(actor, params.id)),
    }),
    route({
      ...write,
      method: 'POST',
      path: '/users/:id/password',
      summary: "Sets a user's password: every session and token ends at once.",
      params,
      body: z.strictObject({ password }),
      output: done,
      handle: async ({ actor, params, body }) => {
        await assignedPasswords.assign(actor, { user: await users.get(params.id), password: body.password })
        return { data: null }
      },
    }),
  ]
}

const sessions = ({ userAdministration: users, apiSessions, lists }: Needs): readonly Route[] => [
  route({
    ...read,
    method: 'GET',
    path: '/users/:id/sessions',
    summary: 'Where a user is signed in, the newest first.',
    params,
    query: listQuery({ sorts: ['-created_at'], filters: {} }),
    output: z.array(sessionOutput),
    handle: async ({ actor, params, query }) => {
      const { id } = await users.get(params.id)
      const list = lists.open(`users/${id}/sessions`, query)
      const found = await apiSessions.list(id, { limit: list.limit + 1, after: list.after })
      const { data, meta } = list.page({ ...found, cursorOf: session => [session.createdAt.toISOString(), session.id] })
      return { data: data.map(session => toSessionOutput(session, actor.sessionId)), meta }
    },
  }),
  route({
    ...write,
    method: 'DELETE',
    path: '/users/:id/sessions',
    summary: 'Signs a user out everywhere: every session and token ends at once.',
    params,
    output: done,
    handle: async ({ actor, params }) => {
      await users.endSessions(actor, params.id)
      return { data: null }
    },
  }),
]

const answer = (user: User) => ({ data: output(user), version: user.updatedAt })
