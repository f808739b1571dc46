// Proving oneself by password, ten failures and no more; and passwords that others give, who may not touch an administrator at the last moment either.
import argon2 from 'argon2'
import test from 'ava'
import { argon2Parameters } from '../../src/authentication/password.ts'
import { type Actor, systemActor } from '../../src/platform/actor.ts'
import { Problem } from '../../src/platform/errors.ts'
import { userIdSchema } from '../../src/users/user.ts'
import { lightHashing } from '../support/demo-filling.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser as makeOther } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const right = 'a right good password'
/** What every hash says that this server makes. */
const todays = `$argon2id$v=19$m=${lightHashing.memoryCost},`
let made = 0
let addresses = 0

const makeUser = async () => {
  made += 1
  const email = `person-${made}@authy2.local`
  const { id } = await server.services.users.create(systemActor, { email, isEmailVerified: true })
  await server.services.signIn.setPassword(systemActor, { id, password: right })
  return { id, email }
}

/** Somebody at an address of their own, so that only the account's budget counts. */
const visitor = (ip = freshAddress()): Actor => ({ kind: 'anonymous', permissions: new Set(), ip })

const freshAddress = () => {
  addresses += 1
  return `10.${addresses >> 8}.${addresses & 255}.1`
}

/** The code of the refusal; `proven` where there was none. */
const attempt = async (identifier: string, password: string, actor: Actor = visitor()): Promise<string> => {
  try {
    await server.services.signIn.prove(actor, { identifier, password })
    return 'proven'
  } catch (error) {
    if (error instanceof Problem) return error.code
    throw error
  }
}

const repeat = async (times: number, one: () => Promise<string>) => {
  const codes: string[] = []
  for (let round = 0; round < times; round += 1) codes.push(await one())
  return codes
}

const eventsOf = async (id: string, action: string) => server.resources.database.prisma.auditEvent.count({ where: { targetId: id, action } })

test('after ten failures an account is closed even to the right password, and says for how long', async t => {
  const { email } = await makeUser()
  t.deepEqual(await repeat(10, () => attempt(email, 'wrong')), Array(10).fill('invalid_credentials'))
  t.is(await attempt(email, right), 'too_many_attempts')
  const refusal = await t.throwsAsync<Problem>(server.services.signIn.prove(visitor(), { identifier: email, password: right }))
  t.is(refusal?.status, 429)
  t.true((refusal?.retryAfterSeconds ?? 0) > 800 && (refusal?.retryAfterSeconds ?? 0) <= 900)
})

// In turn with the others: together they would ask for more than may wait.
test.serial('strangers who guess do not close an account where its person signed in lately; there ten more are checked, also of many at once', async t => {
  const { id, email } = await makeUser()
  const [home, elsewhere] = [visitor('192.0.2.44'), visitor('2001:db8:1:2::7')]
  for (const actor of [home, elsewhere])
    await server.services.apiSessions.begin({ ...actor, kind: 'user', id }, { userId: id, amr: ['pwd'], since: new Date() })
  const guesses = await Promise.all(Array.from({ length: 20 }, () => attempt(email, 'wrong')))
  t.is(guesses.filter(code => code === 'invalid_credentials').length, 10)
  t.is(await attempt(email, right), 'too_many_attempts')
  for (const ip of ['192.0.2.44', '::ffff:192.0.2.44', '2001:db8:1:2::8']) t.is(await attempt(email, right, visitor(ip)), 'proven', ip)
  const tries = await Promise.all(Array.from({ length: 20 }, () => attempt(email, 'wrong', home)))
  t.is(tries.filter(code => code === 'invalid_credentials').length, 10)
  t.is(await attempt(email, right, home), 'too_many_attempts')
  t.is(await attempt(email, right, elsewhere), 'proven')
  t.is(await attempt(email, right), 'too_many_attempts', 'a stranger has none')
  const events = await server.resources.database.prisma.auditEvent.findMany({ where: { targetId: id, action: 'sign_in.succeeded' } })
  t.deepEqual([...new Set(events.map(({ actorKind, actorId }) => `${actorKind} ${actorId}`))], [`user ${id}`])
})

test('an account that is closed to one spelling is closed to all', async t => {
  const { email } = await makeUser()
  await repeat(10, () => attempt(email.toUpperCase(), 'wrong'))
  for (const spelling of [email, ` ${email} `, email.toUpperCase()]) t.is(await attempt(spelling, right), 'too_many_attempts')
})

test('success does not use the budget up', async t => {
  const { email } = await makeUser()
  t.deepEqual(await repeat(25, () => attempt(email, right)), Array(25).fill('proven'))
  t.deepEqual(await repeat(9, () => attempt(email, 'wrong')), Array(9).fill('invalid_credentials'))
  t.is(await attempt(email, right), 'proven')
})

test('of fifty wrong tries at once no more are checked than the budget allows', async t => {
  const { id, email } = await makeUser()
  const codes = await Promise.all(Array.from({ length: 50 }, () => attempt(email, 'wrong')))
  const checked = codes.filter(code => code !== 'too_many_attempts')
  t.true(checked.length <= 10, `${checked.length} were checked`)
  t.is(await eventsOf(id, 'sign_in.refused'), checked.length + 1)
})

test('one address is closed to all accounts after thirty failures, however it is written', async t => {
  const emails = await Promise.all(Array.from({ length: 4 }, async () => (await makeUser()).email))
  const ip = '198.51.100.7'
  for (const [index, email] of emails.entries()) await repeat(index < 3 ? 9 : 3, () => attempt(email, 'wrong', visitor(index % 2 ? ip : `::ffff:${ip}`)))
  t.is(await attempt(emails[3] ?? '', right, visitor(ip)), 'too_many_attempts')
  t.is(await attempt(emails[3] ?? '', right, visitor('198.51.100.8')), 'proven')
})

test('unknown, wrong, empty, suspended and nonsense are refused alike', async t => {
  const suspended = await makeUser()
  await server.resources.database.prisma.user.update({ where: { id: suspended.id }, data: { suspendedAt: new Date() } })
  const { email } = await makeUser()
  for (const [identifier, password] of [
    ['nobody@authy2.local', right],
    [email, 'wrong'],
    [email, ''],
    [suspended.email, right],
    ['no address', right],
    ['', ''],
    ['__proto__', right],
    [`${'x'.repeat(300)}@authy2.local`, right],
    ['\ud800@authy2.local', right],
  ] as const)
    t.is(await attempt(identifier, password), 'invalid_credentials', identifier)
})

test('an unknown account is closed after ten failures like a known one', async t => {
  const codes = await repeat(11, () => attempt('nobody-at-all@authy2.local', 'wrong'))
  t.is(codes.at(-1), 'too_many_attempts')
})

test('every attempt that was checked is told in exactly one event', async t => {
  const { id, email } = await makeUser()
  await attempt(email, right)
  await attempt(email, 'wrong')
  t.is(await eventsOf(id, 'sign_in.succeeded'), 1)
  t.is(await eventsOf(id, 'sign_in.refused'), 1)
})

test('of the attempts that a budget refuses the first is told, with its reason, and no more', async t => {
  const { id, email } = await makeUser()
  await repeat(14, () => attempt(email, 'wrong'))
  const told = await server.resources.database.prisma.auditEvent.findMany({ where: { targetId: id, action: 'sign_in.refused' }, orderBy: { id: 'asc' } })
  t.deepEqual(
    told.map(({ target }) => (target as { reason: string }).reason),
    [...Array(10).fill('credentials'), 'too_many_attempts'],
  )
})

test('who proves themselves to change their password is told to have done that, not to have signed in', async t => {
  const { id, email } = await makeUser()
  const user = (await server.services.users.findByEmail(email as never)) ?? t.fail()
  const change = (currentPassword: string) =>
    server.services.signUp.changePassword(visitor(), { user: user as never, currentPassword, newPassword: 'another right good password' })
  await t.throwsAsync(change('wrong'))
  await change(right)
  t.is(await eventsOf(id, 'reauthentication.refused'), 1)
  t.is(await eventsOf(id, 'reauthentication.succeeded'), 1)
  t.is((await eventsOf(id, 'sign_in.refused')) + (await eventsOf(id, 'sign_in.succeeded')), 0)
})

test('an outdated hash is renewed by signing in, and by nothing else', async t => {
  const { id, email } = await makeUser()
  const { authenticationMethod } = server.resources.database.prisma
  const old = await argon2.hash(right, { ...argon2Parameters, memoryCost: 8192 })
  await authenticationMethod.updateMany({ where: { userId: id }, data: { secret: old } })
  const secret = async () => (await authenticationMethod.findFirstOrThrow({ where: { userId: id, deletedAt: null } })).secret
  await attempt(email, 'wrong')
  t.is(await secret(), old)
  t.is(await attempt(email, right), 'proven')
  t.true((await secret())?.includes(todays))
  t.is(await attempt(email, right), 'proven')
})

test('of two first sign-ins at once both are let in and the foreign hash is gone, and a password that is set meanwhile stays', async t => {
  const { id, email } = await makeUser()
  const { authenticationMethod } = server.resources.database.prisma
  const foreign = '$2b$10$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W'
  const secrets = async () => (await authenticationMethod.findMany({ where: { userId: id, deletedAt: null } })).map(({ secret }) => secret)
  await authenticationMethod.updateMany({ where: { userId: id }, data: { secret: foreign } })
  const phrase = 'correct horse battery staple'
  t.deepEqual(await Promise.all([attempt(email, phrase), attempt(email, phrase)]), ['proven', 'proven'])
  t.is((await secrets()).length, 1)
  t.true((await secrets())[0]?.includes(todays))
  t.is(await attempt(email, phrase), 'proven')
  await authenticationMethod.updateMany({ where: { userId: id, deletedAt: null }, data: { secret: foreign } })
  await Promise.all([attempt(email, phrase), server.services.signIn.setPassword(systemActor, { id, password: right })])
  t.deepEqual([await attempt(email, right), await attempt(email, phrase)], ['proven', 'invalid_credentials'])
})

// In turn with the others: together they would ask for more than may wait.
test.serial('strangers who guess do not close an account to a browser in which its user signed in before', async t => {
  const { id, email } = await makeUser()
  const other = await makeUser()
  await repeat(10, () => attempt(email, 'wrong'))
  t.is(await attempt(email, right), 'too_many_attempts')
  const device = (userIds: string[]) => ({ id: `device-of-${id}`, userIds, twoFactorIds: [] })
  const { signIn } = server.services
  t.is((await signIn.prove(visitor(), { identifier: email, password: right, device: device([id]) })).user.id, id)
  await t.throwsAsync(signIn.prove(visitor(), { identifier: email, password: right, device: device([other.id]) }), { message: /./ })
  for (let round = 0; round < 10; round += 1) await t.throwsAsync(signIn.prove(visitor(), { identifier: email, password: 'wrong', device: device([id]) }))
  const refusal = await t.throwsAsync<Problem>(signIn.prove(visitor(), { identifier: email, password: right, device: device([id]) }))
  t.is(refusal?.code, 'too_many_attempts')
})

const key: Actor = { kind: 'api_key', id: 'key', permissions: new Set(['users:write']) }

/** Takes all places where passwords are hashed, until it is called back. */
const holdHashing = () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const held = Array.from({ length: 4 }, () => server.services.passwords.inTurn(() => promise))
  return async () => {
    resolve()
    await Promise.all(held)
  }
}

test.serial('a user who becomes an administrator while the password is hashed keeps their own', async t => {
  const { assignedPasswords, userAdministration, users, signIn } = server.services
  const { id, email, password } = await makeOther(server)
  const user = await users.find(id)
  if (!user) throw new Error('no user')
  const letGo = holdHashing()
  const assigning = assignedPasswords.assign(key, { user, password: 'quite another long phrase' })
  await userAdministration.update(systemActor, userIdSchema.parse(id), { isAdmin: true })
  await Promise.all([t.throwsAsync(assigning, { code: 'forbidden' }), letGo()])
  t.is((await signIn.prove(systemActor, { identifier: email, password })).user.id, id)
})

test.serial('a user who is deleted while the password is hashed is not found', async t => {
  const { assignedPasswords, userAdministration, users } = server.services
  const { id } = await makeOther(server)
  const user = await users.find(id)
  if (!user) throw new Error('no user')
  const letGo = holdHashing()
  const assigning = assignedPasswords.assign(key, { user, password: 'quite another long phrase' })
  await userAdministration.remove(systemActor, userIdSchema.parse(id))
  await Promise.all([t.throwsAsync(assigning, { code: 'not_found' }), letGo()])
})
