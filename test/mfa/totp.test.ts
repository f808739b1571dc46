// One-time passwords by time: enrolled, confirmed, accepted once, on every process and whatever the clock of the phone says.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { Problem } from '../../src/platform/errors.ts'
import { codeOf, enrolTotp, withinOneStep, wrongCodeOf } from '../support/factors.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const makePerson = async () => {
  const { id, email } = await makeUser(server)
  const user = await server.services.users.find(id)
  if (!user) throw new Error('not made')
  return { id, email, user }
}
const prove = (userId: string, code: string) => server.services.secondFactor.prove(systemActor, { userId, factor: 'totp', code })
const outcome = (work: Promise<unknown>) => work.then(() => 'accepted').catch(error => (error instanceof Problem ? error.code : Promise.reject(error)))

test('an enrolment tells a seed of 160 bits, an address for apps and a QR code, and counts for nothing until it is confirmed', async t => {
  const { user } = await makePerson()
  const { totps, secondFactor, authenticators } = server.services
  const made = await totps.enrol(systemActor, { user })
  t.regex(made.secret, /^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/)
  t.is(new URL(made.uri).searchParams.get('secret'), made.secret.replaceAll(' ', ''))
  t.is(new URL(made.uri).searchParams.get('issuer'), 'Authy2')
  t.true(decodeURIComponent(made.uri).includes(user.email))
  t.deepEqual(await secondFactor.list(user.id), [])
  t.is(await outcome(prove(user.id, codeOf(made.uri))), 'invalid_code')
  await totps.confirm(systemActor, { user, id: made.id, code: codeOf(made.uri) })
  t.deepEqual(await secondFactor.list(user.id), ['totp'])
  t.like((await authenticators.list(user.id))[0], { kind: 'totp', name: 'Authenticator app' })
})

test('the seed is kept sealed', async t => {
  const { user } = await makePerson()
  const { uri, factorId } = await enrolTotp(server, user)
  const { rows } = await server.resources.database.pool.query('SELECT secret FROM authenticators WHERE id = $1', [factorId])
  t.false(rows[0].secret.includes(new URL(uri).searchParams.get('secret')))
  t.throws(() => server.resources.secrets.unseal('totp', rows[0].secret, 'another user'))
})

test('a wrong first code confirms nothing, and a new enrolment takes the place of one that waits', async t => {
  const { user } = await makePerson()
  const { totps } = server.services
  const first = await totps.enrol(systemActor, { user })
  const wrong = [wrongCodeOf(first.uri), '', '12345', '1234567', 'abcdef', '𐭢ꎕꞍ𝖷', '١٢٣٤٥٦', '12\u0000456']
  for (const code of wrong) t.is(await outcome(totps.confirm(systemActor, { user, id: first.id, code })), 'validation_failed', code)
  await totps.enrol(systemActor, { user })
  t.is(await outcome(totps.confirm(systemActor, { user, id: first.id, code: codeOf(first.uri) })), 'not_found')
})

test('nobody confirms an enrolment of somebody else', async t => {
  const [{ user }, { user: other }] = [await makePerson(), await makePerson()]
  const made = await server.services.totps.enrol(systemActor, { user })
  t.is(await outcome(server.services.totps.confirm(systemActor, { user: other, id: made.id, code: codeOf(made.uri) })), 'not_found')
  t.is(await server.services.totps.findEnrolment(other, made.id), undefined)
})

test('a sixth app is refused', async t => {
  const { user } = await makePerson()
  for (let count = 0; count < 5; count += 1) await enrolTotp(server, user)
  t.is(await outcome(enrolTotp(server, user)), 'too_many_factors')
})

test('a code is accepted once, also of the step before and the step after, and none that is further away', t =>
  withinOneStep(t, async t => {
    const { user } = await makePerson()
    const { uri, factorId } = await enrolTotp(server, user)
    t.is(await outcome(prove(user.id, codeOf(uri, -1))), 'invalid_code', 'the code that confirmed it')
    t.is(await outcome(prove(user.id, codeOf(uri, 3))), 'invalid_code')
    t.is(await outcome(prove(user.id, ` ${codeOf(uri).replace(/(...)/, '$1 ')} `)), 'accepted')
    t.is(await outcome(prove(user.id, codeOf(uri))), 'invalid_code')
    t.is(await outcome(prove(user.id, codeOf(uri, 1))), 'accepted')
    await server.resources.database.pool.query('UPDATE authenticators SET counter = counter + 10 WHERE id = $1', [factorId])
    t.is(await outcome(prove(user.id, codeOf(uri, 1))), 'invalid_code', 'a clock that goes back')
  }))

test('of twenty who present the same code at once one is let in', t =>
  withinOneStep(t, async t => {
    const { user } = await makePerson()
    const { uri } = await enrolTotp(server, user)
    const { totps, change } = server.services
    const tries = Array.from({ length: 20 }, () =>
      change(systemActor, async (tx, record) => {
        record('factor.accepted', { id: user.id, factor: 'totp' })
        return totps.accept(tx, { userId: user.id, code: codeOf(uri) })
      }),
    )
    t.is((await Promise.all(tries)).filter(Boolean).length, 1)
  }))

test('five wrong codes close the door for minutes, for right and wrong alike, however many come at once', async t => {
  const { user } = await makePerson()
  const { uri, code } = await enrolTotp(server, user)
  const tries = await Promise.all(Array.from({ length: 12 }, () => outcome(prove(user.id, wrongCodeOf(uri)))))
  t.is(tries.filter(one => one === 'invalid_code').length, 5)
  t.is(tries.filter(one => one === 'too_many_attempts').length, 7)
  const refused = await t.throwsAsync<Problem>(prove(user.id, await code()))
  t.is(refused?.code, 'too_many_attempts')
  t.true(Number(refused?.retryAfterSeconds) > 60)
})

test('of the tries that a budget refuses the first is told, with its reason, and no more', async t => {
  const { user } = await makePerson()
  const { uri } = await enrolTotp(server, user)
  const guesser = { ...systemActor, ip: '192.0.2.77' }
  const guess = () => server.services.secondFactor.prove(guesser, { userId: user.id, factor: 'totp', code: wrongCodeOf(uri) })
  const outcomes = []
  for (let count = 0; count < 9; count += 1) outcomes.push(await outcome(guess()))
  t.deepEqual(outcomes, [...Array(5).fill('invalid_code'), ...Array(4).fill('too_many_attempts')])
  const { rows } = await server.resources.database.pool.query(
    "SELECT outcome, target::jsonb ->> 'factor' AS factor, target::jsonb ->> 'reason' AS reason FROM audit_events WHERE target_id = $1 AND action = 'factor.refused' ORDER BY id",
    [user.id],
  )
  const told = { outcome: 'refused', factor: 'totp' }
  t.deepEqual(rows, [...Array(5).fill({ ...told, reason: null }), { ...told, reason: 'too_many_attempts' }])
})

test('every try is one event, and a factor that is added or removed is told by mail', async t => {
  const { user, email } = await makePerson()
  const { uri, factorId } = await enrolTotp(server, user)
  await outcome(prove(user.id, wrongCodeOf(uri)))
  await outcome(prove(user.id, codeOf(uri)))
  await server.services.authenticators.remove(systemActor, { user, id: factorId })
  const { rows } = await server.resources.database.pool.query(
    "SELECT action, outcome FROM audit_events WHERE target_id = $1 AND action LIKE 'factor.%' ORDER BY id",
    [user.id],
  )
  t.deepEqual(rows, [
    { action: 'factor.refused', outcome: 'refused' },
    { action: 'factor.accepted', outcome: 'kept' },
  ])
  for (let round = 0; round < 100 && (await server.mailsTo(email)).length < 2; round += 1) await new Promise(resolve => setTimeout(resolve, 100))
  t.deepEqual((await server.mailsTo(email)).map(({ subject }) => subject).toSorted(), ['A way to sign in was added', 'A way to sign in was removed'])
  t.deepEqual(await server.services.secondFactor.list(user.id), [])
})
