// Imports as large as they may be: made whole, one after the other.
import test from 'ava'
import { startApi, type TestApi } from '../support/api.ts'
import { addresses, foreign, type Importing, importing, lines } from '../support/imports.ts'

let api: TestApi
let on: Importing
test.before(async () => {
  api = await startApi()
  on = await importing(api)
})
test.after.always(() => api?.close())

for (const [count, mode] of [
  [10_000, 'each'],
  [2000, 'all'],
] as const)
  test.serial(`${count} move in with mode ${mode}`, async t => {
    const emails = addresses(count)
    const rows = emails.map((email, index) => ({ email, email_verified: true, full_name: `Person ${index}`, locale: 'en', password_hash: foreign }))
    const startedAt = performance.now()
    const { envelope } = await on.sendLines(lines(rows), { query: `?mode=${mode}` })
    t.log(`${Math.round(performance.now() - startedAt)} ms`)
    t.like(envelope.data, { created: count, failed: 0 })
    t.is(await on.countUsers([emails[0] ?? '', emails.at(-1) ?? '']), 2)
  })

test.serial('8000 move in as one JSON object', async t => {
  const emails = addresses(8000)
  const { status, data } = await on.send({ users: emails.map(email => ({ email })) })
  t.deepEqual([status, data.created], [200, 8000])
})
