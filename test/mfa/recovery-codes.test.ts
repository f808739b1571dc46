// Recovery codes: ten, told once, each good once.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { Problem } from '../../src/platform/errors.ts'
import { enrolTotp } from '../support/factors.ts'
import { mailTo, subjectsTo } from '../support/mails.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const makeCodes = async () => {
  const { id, email } = await makeUser(server)
  await enrolTotp(server, { id })
  return { id, email, codes: await server.services.recoveryCodes.issue(systemActor, id) }
}
const prove = (userId: string, code = '') => server.services.secondFactor.prove(systemActor, { userId, factor: 'recovery_code', code })
const outcome = (work: Promise<unknown>) => work.then(() => 'accepted').catch(error => (error instanceof Problem ? error.code : Promise.reject(error)))

test('there are ten of eighty bits, kept only as keyed hashes', async t => {
  const { id, codes } = await makeCodes()
  t.is(new Set(codes).size, 10)
  for (const code of codes) t.regex(code, /^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/)
  const { rows } = await server.resources.database.pool.query('SELECT hash FROM recovery_codes WHERE user_id = $1', [id])
  t.is(rows.length, 10)
  t.true(rows.every(({ hash }) => hash.length === 32))
  t.deepEqual((await server.services.recoveryCodes.count(id)).left, 10)
})

test('one is accepted once, whatever its letters and spaces look like', async t => {
  const { id, codes } = await makeCodes()
  const typed = ` ${codes[0]?.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')} `
  t.is(await outcome(prove(id, typed)), 'accepted')
  t.is(await outcome(prove(id, codes[0])), 'invalid_code')
  t.is(await outcome(prove(id, codes[1])), 'accepted')
  t.is((await server.services.recoveryCodes.count(id)).left, 8)
})

test('those of somebody else, and those before the last ones, are nothing', async t => {
  const [one, other] = [await makeCodes(), await makeCodes()]
  t.is(await outcome(prove(one.id, other.codes[0])), 'invalid_code')
  await server.services.recoveryCodes.issue(systemActor, one.id)
  t.is(await outcome(prove(one.id, one.codes[0])), 'invalid_code')
})

test('of twenty who present the same one at once one is let in', async t => {
  const { id, codes } = await makeCodes()
  const { recoveryCodes, change } = server.services
  const tries = Array.from({ length: 20 }, () =>
    change(systemActor, async (tx, record) => {
      record('factor.accepted', { id, factor: 'recovery_code' })
      return recoveryCodes.accept(tx, { userId: id, code: codes[0] ?? '', actor: systemActor })
    }),
  )
  t.is((await Promise.all(tries)).filter(Boolean).length, 1)
})

test('whoever has no factor has none, and with the last factor they go', async t => {
  const { id } = await makeUser(server)
  t.is(await outcome(server.services.recoveryCodes.issue(systemActor, id)), 'factor_missing')
  const { factorId } = await enrolTotp(server, { id })
  await server.services.recoveryCodes.issue(systemActor, id)
  const user = await server.services.users.find(id)
  if (user) await server.services.authenticators.remove(systemActor, { user, id: factorId })
  t.is((await server.services.recoveryCodes.count(id)).left, 0)
})

test('whoever used up the tries of the app can still enter by one', async t => {
  const { id, codes } = await makeCodes()
  const guess = () => server.services.secondFactor.prove(systemActor, { userId: id, factor: 'totp', code: '000000' })
  await Promise.all(Array.from({ length: 6 }, () => outcome(guess())))
  t.is(await outcome(guess()), 'too_many_attempts')
  t.is(await outcome(prove(id, codes[0])), 'accepted')
})

test('of a code that was used its owner hears how many are left, and of codes made anew that those before are void', async t => {
  const { id, email, codes } = await makeCodes()
  const enrolled = 'A way to sign in was added'
  t.is(await outcome(prove(id, 'not a code')), 'invalid_code')
  t.deepEqual(await subjectsTo(server, email), [enrolled], 'the first codes come with the app')
  for (const code of codes.slice(0, 9)) await prove(id, code)
  await mailTo(server, email, 'A recovery code was used', 9)
  const told = (await server.mailsTo(email)).map(({ text }) => text)
  // Mails that are sent at the same time arrive in any order.
  t.is(told.filter(text => /was used on .+ UTC, from an unknown device \(an unknown address\)\. One is left\./.test(text)).length, 1)
  await server.services.recoveryCodes.issue({ ...systemActor, ip: '203.0.113.7' }, id)
  const mail = await mailTo(server, email, 'New recovery codes were made')
  t.regex(mail.text, /\(203\.0\.113\.7\)\. Those before are void\./)
  t.is((await subjectsTo(server, email)).length, 11)
})
