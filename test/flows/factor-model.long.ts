// Whatever is done on the pages in whatever order: tokens are issued only where the proofs suffice, and never tell more than was proven.
import test from 'ava'
import fc from 'fast-check'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient } from '../support/clients.ts'
import { type Action, type Door, kinds, type Walker } from '../support/factor-ground.ts'
import { essential, makeMember, twoFactors } from '../support/factor-journeys.ts'
import { createWalk } from '../support/factor-model.ts'
import { enrolTotp } from '../support/factors.ts'
import { addPasskey } from '../support/passkey-journeys.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
const sequences = Number(process.env.SEQUENCES ?? 300)
const milliseconds = 50_000

let server: TestServer
let plain: Walker
let holder: Walker
let member: Walker
let keyed: Walker
let doors: readonly Door[]
test.before(async () => {
  server = await startServer()
  plain = await makeUser(server, { password: 'the plain one’s own words' })
  const made = await makeUser(server, { password: 'the holder’s own words' })
  holder = { ...made, seed: (await enrolTotp(server, made)).uri }
  const other = await makeUser(server, { password: 'the passkey’s own words' })
  keyed = { ...other, authenticator: await addPasskey(server, other) }
  const careful = await makeMember(server, { isMfaRequired: true })
  member = careful.user
  await server.services.members.add(systemActor, { organizationId: careful.organization.id, userId: keyed.id, role: 'member' })
  const portal = await makeClient(server)
  const nobody = new Set<string>()
  doors = [
    { entrance: portal, parameters: {}, demand: { isFactorAsked: false, members: nobody } },
    { entrance: portal, parameters: essential(twoFactors), demand: { isFactorAsked: true, members: nobody } },
    { entrance: careful.entrance, parameters: {}, demand: { isFactorAsked: false, members: new Set([member.id, keyed.id]) } },
  ]
})
test.after.always(() => server?.close())

const often: Partial<Record<Action['kind'], number>> = {
  open: 3,
  'sign in': 5,
  'right code': 6,
  passkey: 4,
  'silent request': 2,
  'save codes': 2,
  'new password by mail': 1,
}
const index = (count: number) => fc.nat({ max: count - 1 })
const actions = fc.array(
  fc.record<Action>({
    kind: fc.oneof(...kinds.map(kind => ({ weight: often[kind] ?? 1, arbitrary: fc.constant(kind) }))),
    browser: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
    tab: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
    who: index(4),
    entrance: index(3),
  }),
  { minLength: 4, maxLength: 12 },
)

/** Nobody but the holder has an app and nobody but the keyed one a passkey, and every budget is whole. */
const restore = async () => {
  const { pool } = server.resources.database
  for (const table of ['authenticators', 'recovery_codes']) await pool.query(`DELETE FROM ${table} WHERE user_id = ANY ($1::uuid[])`, [[plain.id, member.id]])
  await pool.query('DELETE FROM rate_limits')
}

test(`no sequence of actions passes a factor, nor tells one that was not proven (seed ${seed})`, async t => {
  t.timeout(150_000)
  const total = { sequences: 0, actions: 0, tokens: 0, strong: 0 }
  const walk = async (given: readonly Action[]) => {
    await restore()
    const { act, count } = createWalk({ server, people: [{ ...plain }, { ...holder }, { ...member }, { ...keyed }], doors })
    for (const action of given) await act(action)
    total.sequences += 1
    for (const name of ['actions', 'tokens', 'strong'] as const) total[name] += count[name]
  }
  const limits = { interruptAfterTimeLimit: milliseconds, markInterruptAsFailure: false }
  await fc.assert(fc.asyncProperty(actions, walk), { seed, numRuns: sequences, endOnFailure: true, ...limits })
  t.log(`${total.sequences} sequences, ${total.actions} actions, ${total.tokens} times tokens, ${total.strong} of them of two factors`)
  // A walk that never arrives would prove nothing.
  t.true(total.tokens > total.sequences / 10 && total.strong > total.sequences / 50)
})
