// Imports as tests send them, and what the database says of them.
import { randomUUID } from 'node:crypto'
import type { TestApi } from './api.ts'

/** A result. */
export interface Row {
  readonly row: number
  readonly status: string
  readonly id: string | null
  readonly email: string | null
  readonly error: { readonly type: string; readonly fields: readonly { path: string; message: string }[] } | null
}

interface Options {
  readonly query?: string
  readonly headers?: Record<string, string>
}

/** A hash of «correct horse battery staple» as another system keeps it. */
export const foreign = '$2b$10$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W'

/** An address that nobody has. */
export const address = (name: string = randomUUID()) => `${name}@moving.example`

/** Many, in their order. */
export const addresses = (count: number) => {
  const batch = randomUUID()
  return Array.from({ length: count }, (_, index) => address(`${batch}-${String(index).padStart(5, '0')}`))
}

/** Rows as NDJSON. */
export const lines = (rows: readonly unknown[]) => rows.map(row => `${JSON.stringify(row)}\n`).join('')

/** What imports by an administrator. */
export const importing = async (api: TestApi) => {
  const { id, token: admin } = await api.signIn()
  const { database } = api.server.resources
  await database.pool.query("UPDATE users SET system_role = 'admin' WHERE id = $1", [id])
  return {
    admin,
    send: (body: unknown, { query = '', headers = {} }: Options = {}) => api.ask(`POST /users/import${query}`, { token: admin, body, headers }),
    sendLines: async (body: string | Buffer, { query = '', headers = {} }: Options = {}) => {
      const reply = await api.calls.call(`/api/v1/users/import${query}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/x-ndjson', ...headers },
        body,
      })
      return { ...reply, envelope: JSON.parse(reply.body) }
    },
    countUsers: (emails: readonly string[]) => database.prisma.user.count({ where: { emailNormalized: { in: [...emails] }, deletedAt: null } }),
    countEvents: (ids: readonly (string | null)[]) =>
      database.prisma.auditEvent.count({ where: { action: 'user.created', targetId: { in: ids.flatMap(id => id ?? []) } } }),
    secretOf: async (email: string) => {
      const [method] = await database.prisma.authenticationMethod.findMany({ where: { user: { emailNormalized: email }, deletedAt: null } })
      return method?.secret
    },
  }
}

/** What {@link importing} gives. */
export type Importing = Awaited<ReturnType<typeof importing>>
