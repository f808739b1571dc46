// The operations on one's own sessions.
import { z } from 'zod'
import { type Lists, listQuery } from '../platform/http/list.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { userIdOf } from '../users/user.ts'
import type { ApiSessions } from './api-sessions.ts'
import { sessionOutput, toSessionOutput } from './session.ts'

/** Makes the routes. */
export const createSessionRoutes = ({ apiSessions, lists }: { apiSessions: ApiSessions; lists: Lists }): readonly Route[] => [
  route({
    method: 'GET',
    path: '/auth/sessions',
    summary: 'Where the caller is signed in, the newest first.',
    permission: 'signed_in',
    query: listQuery({ sorts: ['-created_at'], filters: {} }),
    output: z.array(sessionOutput),
    handle: async ({ actor, query }) => {
      const list = lists.open('own-sessions', query)
      const { rows, total } = await apiSessions.list(userIdOf(actor), { limit: list.limit + 1, after: list.after })
      const { data, meta } = list.page({ rows, total, cursorOf: row => [row.createdAt.toISOString(), row.id] })
      return { data: data.map(session => toSessionOutput(session, actor.sessionId)), meta }
    },
  }),
  route({
    method: 'DELETE',
    path: '/auth/sessions/:id',
    summary: 'Ends one of the caller’s sessions.',
    permission: 'signed_in',
    params: z.strictObject({ id: z.uuid() }),
    output: done,
    handle: async ({ actor, params }) => {
      await apiSessions.end(actor, { userId: userIdOf(actor), id: params.id })
      return { data: null }
    },
  }),
  route({
    method: 'DELETE',
    path: '/auth/sessions',
    summary: 'Ends all of the caller’s sessions but this one.',
    permission: 'signed_in',
    output: done,
    handle: async ({ actor }) => {
      await apiSessions.endOthers(actor, { userId: userIdOf(actor), exceptSid: actor.sessionId })
      return { data: null }
    },
  }),
]
