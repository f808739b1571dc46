// Nobody's existence is told by time: pairs of classes, asked by turns, differ in their medians by no more than the machine's own noise.
import test from 'ava'
import { type Calls, createCalls } from '../support/calls.ts'
import { makeOneOf } from '../support/classes-of-people.ts'
import { startServer, type TestServer } from '../support/server.ts'

const tries = 200
const margin = 0.05
// A noisy machine is given further chances; a real difference shows in each.
const chances = 5

let server: TestServer
let calls: Calls
test.before(async () => {
  server = await startServer({ settings: { API_REQUESTS_PER_MINUTE: '1000000' } })
  calls = createCalls(server.issuer)
})
test.after.always(async () => {
  await calls?.close()
  await server?.close()
})

const post = (path: string, body: object) =>
  calls.call(`/api/v1${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

const ways: Readonly<Record<string, (email: string) => Promise<unknown>>> = {
  'forgotten password': email => post('/auth/password/forgot', { email }),
  'a new proof of the address': email => post('/auth/email/resend', { email }),
  'a code to sign in by': async email =>
    server.services.proofs.askHere({ kind: 'anonymous', permissions: new Set(), ip: email }, { purpose: 'sign_in', email, binding: email, linkPath: '/x' }),
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const timed = async (work: () => Promise<unknown>) => {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

/** How far the medians of two addresses part, as a share of the smaller; each pair in the other order than the one before. */
const difference = async (ask: (email: string) => Promise<unknown>, [a, b]: readonly [string, string]) => {
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < tries; round += 1) {
    const order = round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)
    for (const index of order) {
      times[index].push(await timed(() => ask(index === 0 ? a : b)))
      await settled()
    }
  }
  const medians = times.map(median)
  return Math.abs((medians[0] ?? 0) - (medians[1] ?? 0)) / Math.min(...medians)
}

/** Waits until nothing is left to be delivered, so that one's mail is not done in the other's time. */
const settled = async () => {
  const waiting = "SELECT count(*)::int AS waiting FROM jobs WHERE kind IN ('proof.deliver', 'mail.send') AND dead_at IS NULL"
  while (Number((await server.resources.database.pool.query(waiting)).rows[0].waiting) > 0) await new Promise(resolve => setTimeout(resolve, 5))
}

for (const [name, ask] of Object.entries(ways))
  for (const kind of ['missing', 'suspended', 'unverified', 'without password', 'deleted'] as const)
    test.serial(`${name}: the time tells nothing of whether the person is ${kind}`, async t => {
      t.timeout(600_000)
      const pair = [await makeOneOf(server, 'existing'), await makeOneOf(server, kind)] as const
      for (let round = 0; round < 20; round += 1) for (const email of pair) await ask(email)
      const found: number[] = []
      do found.push(await difference(ask, pair))
      while ((found.at(-1) ?? 1) > margin && found.length < chances)
      t.true((found.at(-1) ?? 1) <= margin, found.map(one => one.toFixed(3)).join(', '))
      t.log(`medians part by ${found.map(one => `${(one * 100).toFixed(1)} %`).join(', ')}`)
    })
