// A person's passkeys: made once, kept by name, used where they were asked for, and gone when they are removed.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { maxPasskeys } from '../../src/mfa/passkey.ts'
import { createPasskeys } from '../../src/mfa/passkeys.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { holdForActor } from '../../src/users/hold-user.ts'
import { createAuthenticator } from '../support/authenticator.ts'
import { enrol, makeHolder, makePerson, refusalOf, signInWith, visitor } from '../support/passkeys.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const passkeys = () => server.services.passkeys
const eventsOf = async (userId: string) =>
  (
    await server.resources.database.prisma.auditEvent.findMany({
      where: { OR: [{ targetId: userId }, { target: { path: ['user_id'], equals: userId } }] },
      orderBy: { id: 'asc' },
    })
  ).map(({ action, outcome, target }) => ({ action, outcome, target }))

/** The passkeys of a server whose clock stands otherwise. */
const passkeysAt = (offsetSeconds: number, policy: { userVerification: 'required' | 'preferred' } = { userVerification: 'required' }) =>
  createPasskeys({
    ...server.resources,
    ...server.services,
    holdForActor,
    issuer: server.issuer,
    productName: 'Authy2',
    policy: { residentKey: 'required', ...policy },
    now: () => new Date(Date.now() + offsetSeconds * 1000),
  })

test('a browser is asked for a passkey that knows its person, of keys we verify, and for none that is there already', async t => {
  const holder = await makeHolder(server)
  const options = await passkeys().beginEnrolment(holder)
  t.deepEqual(options.rp, { id: 'localhost', name: 'Authy2' })
  t.like(options, { attestation: 'none', timeout: 300_000 })
  t.like(options.authenticatorSelection, { residentKey: 'required', requireResidentKey: true, userVerification: 'required' })
  t.deepEqual(
    options.pubKeyCredParams.map(({ alg }) => alg),
    [-8, -7, -257],
  )
  t.deepEqual(
    options.excludeCredentials.map(({ id }) => id),
    holder.authenticator.passkeys.map(({ id }) => id),
  )
  t.is(Buffer.from(options.challenge, 'base64url').length, 32)
  t.is(Buffer.from(options.user.id, 'base64url').toString('hex'), holder.user.id.replaceAll('-', ''))
})

test('who signs in does not say who they are, and nothing tells it', async t => {
  const options = await passkeys().beginProof(visitor(), { binding: randomUUID() })
  t.is(options.allowCredentials, undefined)
  t.like(options, { rpId: 'localhost', userVerification: 'required' })
})

test('a passkey is called by who keeps it, by where it was made, or as its owner says', async t => {
  const person = await makePerson(server)
  t.is((await enrol(server, person)).name, 'Chrome on macOS')
  t.is((await enrol(server, person, { name: 'My key' })).name, 'My key')
  t.is((await enrol(server, { ...person, actor: { ...person.actor, userAgent: undefined } })).name, 'Passkey')
})

test('a passkey signs in, is told of, and remembers when', async t => {
  const { user, authenticator, passkey } = await makeHolder(server)
  t.is(passkey.lastUsedAt, undefined)
  t.is((await signInWith(passkeys(), { authenticator })).user.id, user.id)
  t.truthy((await passkeys().list(user.id))[0]?.lastUsedAt)
  t.deepEqual(
    (await eventsOf(user.id)).map(({ action }) => action),
    ['user.created', 'authenticator.enrolled', 'sign_in.succeeded'],
  )
})

test('a synced passkey does not count and is told as kept in software (RFC 8176)', async t => {
  const holder = await makeHolder(server, { isSynced: true })
  t.true(holder.passkey.isSynced)
  for (let time = 0; time < 3; time += 1) t.deepEqual((await signInWith(passkeys(), holder)).amr, ['swk', 'user', 'mfa'])
})

test('where knowing the person is not required, one factor is told as one', async t => {
  const lenient = passkeysAt(0, { userVerification: 'preferred' })
  const holder = await makeHolder(server)
  t.deepEqual((await signInWith(lenient, holder, { flags: { uv: false } })).amr, ['hwk', 'user'])
})

test('a counter that went back is written down as what it is', async t => {
  const holder = await makeHolder(server, { twist: { counter: 7 } })
  t.is(await refusalOf(signInWith(passkeys(), holder, { counter: 7 })), 'passkey_refused counter')
  const events = await eventsOf(holder.user.id)
  t.deepEqual(
    events
      .slice(-2)
      .map(({ action, outcome }) => [action, outcome])
      .toSorted(),
    [
      ['authenticator.counter_went_back', 'refused'],
      ['sign_in.refused', 'refused'],
    ],
  )
  t.true(events.some(({ target }) => JSON.stringify(target).includes('"reason":"counter"')))
})

test('a challenge is good once', async t => {
  const { authenticator } = await makeHolder(server)
  const binding = randomUUID()
  const options = await passkeys().beginProof(visitor(), { binding })
  t.is(await refusalOf(passkeys().signIn(visitor(), { binding, response: authenticator.get(options) })), 'accepted')
  t.is(await refusalOf(passkeys().signIn(visitor(), { binding, response: authenticator.get(options) })), 'passkey_refused challenge')
})

test('a challenge is used up by a failure', async t => {
  const { authenticator } = await makeHolder(server)
  const binding = randomUUID()
  const options = await passkeys().beginProof(visitor(), { binding })
  const wrong = authenticator.get(options, { origin: 'https://evil.example' })
  t.is(await refusalOf(passkeys().signIn(visitor(), { binding, response: wrong })), 'passkey_refused origin')
  t.is(await refusalOf(passkeys().signIn(visitor(), { binding, response: authenticator.get(options) })), 'passkey_refused challenge')
})

test('of twenty who use one challenge at once one signs in', async t => {
  const { authenticator } = await makeHolder(server)
  const binding = randomUUID()
  const options = await passkeys().beginProof(visitor(), { binding })
  const answers = Array.from({ length: 20 }, () => authenticator.get(options))
  const refusals = await Promise.all(answers.map(response => refusalOf(passkeys().signIn(visitor(), { binding, response }))))
  t.deepEqual(refusals.toSorted(), ['accepted', ...Array<string>(19).fill('passkey_refused challenge')])
})

test('of twenty clones that count alike one signs in', async t => {
  const { authenticator } = await makeHolder(server)
  const answers = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const binding = randomUUID()
      return { binding, response: authenticator.get(await passkeys().beginProof(visitor(), { binding }), { counter: 9 }) }
    }),
  )
  const refusals = await Promise.all(answers.map(answer => refusalOf(passkeys().signIn(visitor(), answer))))
  t.deepEqual(refusals.toSorted(), ['accepted', ...Array<string>(19).fill('passkey_refused counter')])
})

test('of twenty who enrol by one challenge at once one does', async t => {
  const person = await makePerson(server)
  const { user, actor, binding, authenticator } = person
  const options = await passkeys().beginEnrolment(person)
  const answers = Array.from({ length: 20 }, () => authenticator.create(options))
  const refusals = await Promise.all(answers.map(response => refusalOf(passkeys().enrol(actor, { user, binding, response }))))
  t.is(refusals.filter(one => one === 'accepted').length, 1)
  t.is((await passkeys().list(user.id)).length, 1)
})

test('a challenge is nothing after five minutes', async t => {
  const { authenticator } = await makeHolder(server)
  const binding = randomUUID()
  const begun = (seconds: number) => passkeysAt(seconds).beginProof(visitor(), { binding })
  t.is(await refusalOf(passkeys().signIn(visitor(), { binding, response: authenticator.get(await begun(-301)) })), 'passkey_refused challenge')
  t.is(await refusalOf(passkeys().signIn(visitor(), { binding, response: authenticator.get(await begun(-280)) })), 'accepted')
  const person = await makePerson(server)
  const response = person.authenticator.create(await passkeysAt(-301).beginEnrolment(person))
  t.is(await refusalOf(passkeys().enrol(person.actor, { ...person, response })), 'validation_failed challenge')
})

test('a challenge is nothing in another browser, for another user or for the other ceremony', async t => {
  const { authenticator, user } = await makeHolder(server)
  const binding = randomUUID()
  const options = await passkeys().beginProof(visitor(), { binding })
  const response = authenticator.get(options)
  t.is(await refusalOf(passkeys().signIn(visitor(), { binding: randomUUID(), response })), 'passkey_refused challenge')
  t.is(await refusalOf(passkeys().prove(visitor(), { binding, response, userId: user.id })), 'passkey_refused challenge')

  const [mine, theirs] = [await makePerson(server), await makePerson(server)]
  const made = mine.authenticator.create(await passkeys().beginEnrolment(mine))
  t.is(await refusalOf(passkeys().enrol(theirs.actor, { ...theirs, binding: mine.binding, response: made })), 'validation_failed challenge')
  t.is(await refusalOf(passkeys().enrol(mine.actor, { ...mine, binding: randomUUID(), response: made })), 'validation_failed challenge')
  const forSigningIn = mine.authenticator.create({ ...(await passkeys().beginEnrolment(mine)), challenge: options.challenge })
  t.is(await refusalOf(passkeys().enrol(mine.actor, { ...mine, binding, response: forSigningIn })), 'validation_failed challenge')
  t.is(await refusalOf(passkeys().enrol(mine.actor, { ...mine, response: made })), 'accepted')
})

test('a credential is kept once, whoever brings it', async t => {
  const [mine, theirs] = [await makePerson(server), await makePerson(server)]
  const credentialId = Buffer.from(randomUUID()).toString('base64url')
  t.is(await refusalOf(enrol(server, mine, { credentialId })), 'accepted')
  t.is(await refusalOf(enrol(server, theirs, { credentialId })), 'passkey_taken')
  t.is(await refusalOf(enrol(server, mine, { credentialId })), 'passkey_taken')
})

test('a second factor is one of the person who gave the first', async t => {
  const [mine, theirs] = [await makeHolder(server), await makeHolder(server)]
  const begin = async () => {
    const binding = randomUUID()
    return { binding, userId: mine.user.id, options: await passkeys().beginProof(visitor(), { binding, userId: mine.user.id }) }
  }
  const { options, ...first } = await begin()
  t.deepEqual(
    options.allowCredentials?.map(({ id }) => id),
    mine.authenticator.passkeys.map(({ id }) => id),
  )
  t.deepEqual((await passkeys().prove(visitor(), { ...first, response: mine.authenticator.get(options, { userHandle: null }) })).amr, ['hwk', 'user', 'mfa'])
  const { options: more, ...second } = await begin()
  t.is(await refusalOf(passkeys().prove(visitor(), { ...second, response: theirs.authenticator.get(more) })), 'passkey_refused user')
  const { options: again, ...third } = await begin()
  t.is(await refusalOf(passkeys().signIn(visitor(), { binding: third.binding, response: mine.authenticator.get(again) })), 'passkey_refused challenge')
  t.deepEqual(
    (await eventsOf(mine.user.id)).filter(({ action }) => action.startsWith('factor.')).map(({ action }) => action),
    ['factor.accepted', 'factor.refused'],
  )
})

test('who is suspended or deleted signs in no more, and is told what everybody is told', async t => {
  for (const taken of ['suspended', 'deleted'] as const) {
    const holder = await makeHolder(server)
    const { userAdministration } = server.services
    if (taken === 'deleted') await userAdministration.remove(systemActor, holder.user.id)
    else await userAdministration.suspend(systemActor, holder.user.id)
    t.is(await refusalOf(signInWith(passkeys(), holder)), 'passkey_refused user', taken)
  }
})

test('a passkey that was removed is not known any more, and may be made anew', async t => {
  const holder = await makeHolder(server)
  const [{ id: credentialId } = { id: '' }] = holder.authenticator.passkeys
  await passkeys().remove(holder.actor, { user: holder.user, id: holder.passkey.id })
  t.is(await refusalOf(signInWith(passkeys(), holder)), 'passkey_unknown credential')
  t.is(await refusalOf(enrol(server, holder, { credentialId })), 'accepted')
  t.is(await refusalOf(signInWith(passkeys(), holder)), 'accepted')
})

test('nobody renames or removes what belongs to another', async t => {
  const [mine, theirs] = [await makeHolder(server), await makeHolder(server)]
  const { id } = theirs.passkey
  t.is(await refusalOf(passkeys().rename(mine.actor, { userId: mine.user.id, id, name: 'Mine' })), 'not_found')
  t.is(await refusalOf(passkeys().remove(mine.actor, { user: mine.user, id })), 'not_found')
  t.is((await passkeys().rename(theirs.actor, { userId: theirs.user.id, id, name: 'Theirs' })).name, 'Theirs')
})

test('a person has at most twenty, also when several are added at once', async t => {
  const person = await makePerson(server)
  for (let count = 0; count < maxPasskeys - 1; count += 1) await enrol(server, person)
  const begun = await Promise.all([1, 2, 3].map(() => passkeys().beginEnrolment(person)))
  const refusals = await Promise.all(
    begun.map(options => refusalOf(passkeys().enrol(person.actor, { ...person, response: createAuthenticator(server.issuer).create(options) }))),
  )
  t.deepEqual(refusals.toSorted(), ['accepted', 'too_many_passkeys', 'too_many_passkeys'])
  t.is(await refusalOf(passkeys().beginEnrolment(person)), 'too_many_passkeys')
})

test('its owner hears by mail of a passkey that was added and of one that was removed', async t => {
  const { user, actor, passkey } = await makeHolder(server, { twist: {} })
  await passkeys().remove(actor, { user, id: passkey.id })
  await until(async () => (await server.mailsTo(user.email)).length === 2)
  const mails = await server.mailsTo(user.email)
  t.deepEqual(mails.map(({ subject }) => subject).toSorted(), ['A way to sign in was added', 'A way to sign in was removed'])
  for (const { text } of mails) t.regex(text, /Passkey “Chrome on macOS”.*Chrome on macOS \(10\./s)
})

test('guessing from one address ends, and honest crowds do not', async t => {
  const actor = visitor()
  const holder = await makeHolder(server)
  const attempt = async (origin?: string) => {
    const binding = randomUUID()
    const response = holder.authenticator.get(await passkeys().beginProof(visitor(), { binding }), { origin })
    return refusalOf(passkeys().signIn(actor, { binding, response }))
  }
  for (let time = 0; time < 31; time += 1) t.is(await attempt(), 'accepted')
  for (let time = 0; time < 30; time += 1) t.is(await attempt('https://evil.example'), 'passkey_refused origin')
  for (let time = 0; time < 3; time += 1) t.is(await attempt(), 'too_many_attempts')
  const told = await server.resources.database.prisma.auditEvent.findMany({ where: { action: 'sign_in.refused', ip: actor.ip } })
  t.is(told.length, 31)
  t.is(told.filter(({ target }) => Object(target).reason === 'too_many_attempts').length, 1)
})
