// Every body that is read × every column of the database as a key it does not know: refused by name, and nothing changes.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { z } from 'zod'
import type { Route } from '../../src/platform/http/route.ts'
import { startApi, type TestApi } from '../support/api.ts'
import { type Cast, makeCast } from '../support/cast.ts'

let api: TestApi
let cast: Cast
test.before(async () => {
  api = await startApi()
  cast = await makeCast(api)
})
test.after.always(() => api?.close())

const folder = fileURLToPath(new URL('../../prisma/schema', import.meta.url))
const schema = readdirSync(folder).map(file => readFileSync(`${folder}/${file}`, 'utf8'))
/** The names of all fields of the schema and of their columns, and what attackers try beside them. */
const columns = [
  ...new Set([
    ...schema.flatMap(text => [...text.matchAll(/^ {2}(\w+) +[A-Z]\w+/gm)].map(([, name = '']) => name)),
    ...schema.flatMap(text => [...text.matchAll(/@map\("(\w+)"\)/g)].map(([, name = '']) => name)),
    ...['is_admin', 'isAdmin', 'admin', 'roles', 'password_hash', 'constructor', 'actor', 'tenant', '$set'],
  ]),
]
const ids: Readonly<Record<string, string>> = { ':userId': 'member', ':roleId': 'managerRole', ':clientId': 'clientA', ':secretId': 'none' }
const firstIds: readonly (readonly [RegExp, string])[] = [
  [/^\/users/, 'stranger'],
  [/^\/clients/, 'clientA'],
  [/^\/organizations/, 'A'],
]
const addressOf = ({ path }: Route) => {
  const first = firstIds.find(([begin]) => begin.test(path))?.[1] ?? 'none'
  return path.replace(/:\w+/g, name => cast.ids[ids[name] ?? first] ?? '')
}
const keysOf = (body: unknown): readonly string[] => {
  if (body instanceof z.ZodUnion) return body.options.flatMap(keysOf)
  return body instanceof z.ZodObject ? Object.keys(body.shape) : []
}
const kept = async () => {
  const { prisma } = api.server.resources.database
  const withoutUse = (rows: readonly object[]) => rows.map(row => ({ ...row, lastUsedAt: undefined, lastSeenAt: undefined }))
  const tables = await Promise.all([
    prisma.user.findMany({ orderBy: { id: 'asc' } }),
    prisma.organization.findMany({ orderBy: { id: 'asc' } }),
    prisma.organizationMember.findMany({ orderBy: [{ organizationId: 'asc' }, { userId: 'asc' }] }),
    prisma.organizationRole.findMany({ orderBy: { id: 'asc' } }),
    prisma.client.findMany({ orderBy: { id: 'asc' } }),
    prisma.clientSecret.findMany({ orderBy: { id: 'asc' } }),
    prisma.apiKey.findMany({ orderBy: { id: 'asc' } }),
    prisma.session.findMany({ orderBy: { id: 'asc' } }),
    prisma.authenticationMethod.findMany({ orderBy: { id: 'asc' } }),
    prisma.auditEvent.findMany({ orderBy: { id: 'asc' } }),
  ])
  return tables.map(withoutUse)
}

test('no column is taken that the body does not name', async t => {
  t.true(columns.length > 120)
  const writing = api.server.app.api.routes.filter(({ method }) => ['POST', 'PATCH', 'PUT'].includes(method))
  const before = await kept()
  let asked = 0
  for (const one of writing) {
    const known = keysOf(one.body)
    const address = `${one.method} ${addressOf(one)}`
    const unknown = columns.filter(name => !known.includes(name))
    const { status, error } = await api.ask(address, { token: cast.tokens.root, body: Object.fromEntries(unknown.map(name => [name, 'taken'])) })
    t.is(status, 400, address)
    const refused = new Set(error?.details.fields?.map(({ path }) => path))
    t.deepEqual(
      unknown.filter(name => !refused.has(name)),
      [],
      `${address} refuses each by its name`,
    )
    asked += unknown.length
    // A prototype is no key of ours either.
    t.is((await api.ask(address, { token: cast.tokens.root, body: JSON.parse('[{"role":"owner"}]') })).status, 400)
  }
  t.deepEqual(await kept(), before)
  t.log(`${asked} cells: ${writing.length} operations × ${columns.length} columns, less what each body names`)
})
