// No way round a factor: every step that may be missing × every way somebody may try to go on without it.
import test from 'ava'
import { asksFor } from '../support/factor-journeys.ts'
import { missingSteps, type Prepared, prepareStates } from '../support/factor-states.ts'
import { isIn, prepareWays, silently, type Way } from '../support/factor-ways.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let prepared: Prepared
let ways: Readonly<Record<string, Way>>
test.before(async () => {
  server = await startServer()
  prepared = await prepareStates(server)
  ways = await prepareWays(server, prepared)
})
test.after.always(() => server?.close())

for (const name of missingSteps)
  test.serial(`nobody goes on without ${name}`, async t => {
    const { page: expected, reach } = prepared.states[name]
    for (const [way, attempt] of Object.entries(ways)) {
      // Each cell has whole budgets: what is refused is refused for what it is.
      await server.resources.database.pool.query('DELETE FROM rate_limits')
      const stuck = await reach()
      t.is(asksFor(stuck.page), expected, way)
      const answer = await attempt(stuck)
      t.false(isIn(answer), `${way} without ${name}`)
      t.true(answer.status < 500, way)
      // Whatever it was, it left no session that is worth more than before.
      t.false(isIn(await silently(stuck)), `a silent request after ${way} without ${name}`)
      const api = await fetch(`${server.issuer}/api/v1/auth/me`, {
        headers: { 'sec-fetch-site': 'same-origin', cookie: [...stuck.person.cookies.values()].map(cookie => `${cookie.name}=${cookie.value}`).join('; ') },
      })
      if (!name.includes('session')) t.is(api.status, 401, `the API after ${way} without ${name}`)
    }
    t.log(`${Object.keys(ways).length} ways without ${name}`)
  })

test('the matrix is whole', t => {
  const cells = missingSteps.length * Object.keys(ways).length
  t.log(`${cells} cells: ${missingSteps.length} missing steps × ${Object.keys(ways).length} ways`)
  t.is(cells, 240)
})
