// Thousands of requests made up from the OpenAPI document: every answer is one that it declares. FUZZ_SEED repeats a run.
import test from 'ava'
import { fuzz } from '../support/fuzz/run.ts'
import { startServer, type TestServer } from '../support/server.ts'

const requests = Number(process.env.FUZZ_RUNS ?? 10_000)
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
/** One makes a run repeatable to the last answer. */
const atOnce = Number(process.env.FUZZ_AT_ONCE ?? 6)
/** The part of the operations that must have kept at least one request, or the run was too shallow to tell. */
const reach = 0.9

// What needs a secret of a mail, the answer of an authenticator, a job that was given up, a sign-in elsewhere or a record in the DNS: nothing that is made up is kept.
const secret =
  /password_reset|email_verify|auth_mfa|passkeys|factors_factorId|recovery_codes|invitations_accept|jobs_id|grants_clientId|identities|domainId_verify/

let server: TestServer
test.before(async () => {
  server = await startServer({ settings: { API_REQUESTS_PER_MINUTE: '1000000' } })
})
test.after.always(() => server?.close())

test(`whatever is asked of the API, the answer is one that its document declares (seed ${seed})`, async t => {
  t.timeout(600_000)
  const startedAt = performance.now()
  const { faults, statuses, operations } = await fuzz(server, { requests, seed, atOnce })
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  const never = [...operations].filter(([name, { kept }]) => kept === 0 && !secret.test(name)).map(([name]) => name)
  const least = Math.min(...[...operations.values()].map(({ asked }) => asked))
  t.log(`${requests} requests in ${seconds} s, seed ${seed}: ${JSON.stringify(statuses)}`)
  t.log(
    `${operations.size - never.length} of ${operations.size} operations kept one; the least asked was asked ${least} times; never kept: ${never.join(', ') || 'none'}`,
  )
  t.deepEqual(faults, [])
  t.false('polluted' in {}, 'a prototype was polluted')
  if (requests >= 2000) t.true(never.length <= operations.size * (1 - reach), `never kept: ${never.join(', ')}`)
})
