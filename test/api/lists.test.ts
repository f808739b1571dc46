// Lists: pages that meet without gap or repetition, and cursors that only we make.
import test from 'ava'
import { startApi, type TestApi } from '../support/api.ts'

let api: TestApi
let token: string
test.before(async () => {
  api = await startApi()
  const person = await api.signIn()
  for (let made = 1; made < 7; made += 1) await api.signIn(person)
  token = person.token
})
test.after.always(() => api?.close())

const list = (query: string, bearer = token) => api.ask(`GET /auth/sessions${query}`, { token: bearer })

test('pages follow each other to the end', async t => {
  const seen: string[] = []
  let after = ''
  for (let page = 0; page < 4; page += 1) {
    const { data, meta, status } = await list(`?limit=2${after}`)
    t.is(status, 200)
    t.deepEqual([meta?.limit, meta?.total], [2, 7])
    seen.push(...data.map(({ id }: { id: string }) => id))
    if (!meta?.next_cursor) break
    after = `&after=${meta.next_cursor}`
  }
  t.is(seen.length, 7)
  t.is(new Set(seen).size, 7)
})

test('a list is twenty long unless told', async t => {
  const { meta } = await list('')
  t.deepEqual(meta, { limit: 20, next_cursor: null, total: 7 })
})

for (const query of [
  '?limit=0',
  '?limit=101',
  '?limit=-1',
  '?limit=two',
  '?limit=1.5',
  '?limit=1e1',
  '?limit=1&limit=2',
  '?sort=name',
  '?offset=1',
  '?__proto__=1',
  '?after=x',
  '?after=',
  '?after[]=x',
])
  test(`the query ${query} is refused`, async t => {
    const reply = await list(query)
    t.deepEqual([reply.status, reply.error?.type], [400, 'VALIDATION_ERROR'])
  })

test('a cursor that was changed, or is of another list, is refused', async t => {
  const cursor = (await list('?limit=2')).meta?.next_cursor ?? ''
  t.is((await list(`?after=${cursor}`)).status, 200)
  const bytes = Buffer.from(cursor, 'base64url')
  bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1
  t.is((await list(`?after=${bytes.toString('base64url')}`)).status, 400)
  const foreign = api.server.services.lists.open('another', { limit: 1 }).page({ rows: [1, 2], total: 2, cursorOf: () => ['2026-01-01T00:00:00Z', 'x'] })
  t.is((await list(`?after=${foreign.meta.next_cursor}`)).status, 400)
})

test('an unchanged list is not sent again', async t => {
  const first = await list('?limit=3')
  const again = await api.ask('GET /auth/sessions?limit=3', { token, headers: { 'if-none-match': String(first.headers.etag) } })
  t.is(again.status, 304)
})
