// Budgets of guessing hold however many guess at once (the short form of budgets.long.ts).
import test from 'ava'
import { budgets } from '../support/budgets.ts'
import { type Calls, createCalls } from '../support/calls.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let calls: Calls
test.before(async () => {
  server = await startServer({ settings: { TRUST_PROXY: '1', API_REQUESTS_PER_MINUTE: '100000' } })
  calls = createCalls(server.issuer)
})
test.after.always(async () => {
  await calls?.close()
  await server?.close()
})

for (const [title, spend] of Object.entries(budgets)) test.serial(`of many at once, ${title}`, t => spend(t, { ...server, calls }))
