// Whatever an authenticator or a browser says wrongly is refused, and named (WebAuthn Level 3 §7.1, §7.2); what was damaged is refused
// as such, never a failure of ours; and challenges leave no trace but their hash, and none at all once they expired.
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { type AssertionJson, PasskeyRefusal, type RegistrationJson } from '../../src/mfa/passkey.ts'
import { createCeremonies } from '../../src/mfa/passkey-ceremonies.ts'
import { createPasskeyChallenges, purgePasskeyChallenges } from '../../src/mfa/passkey-challenges.ts'
import { challengeOf } from '../../src/mfa/passkey-shape.ts'
import type { Database } from '../../src/platform/data/database.ts'
import { createAuthenticator, type Twist } from '../support/authenticator.ts'
import { openTestDatabase } from '../support/database.ts'
import { enrol, makeHolder, makePerson, refusalOf, signInWith, visitor } from '../support/passkeys.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let database: Database
test.before(async () => {
  server = await startServer()
  database = await openTestDatabase()
})
test.after.always(async () => {
  await server?.close()
  await database?.close()
})

const { privateKey: foreignKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const port = () => new URL(server.issuer).port
const notJson = Buffer.from('{"type":')
const both: Readonly<Record<string, readonly [() => Twist, string]>> = {
  'the origin of another site': [() => ({ origin: 'https://evil.example' }), 'origin'],
  'the origin of a subdomain': [() => ({ origin: `http://login.localhost:${port()}` }), 'origin'],
  'the origin of another port': [() => ({ origin: 'http://localhost:1' }), 'origin'],
  'the origin by another scheme': [() => ({ origin: `https://localhost:${port()}` }), 'origin'],
  'the origin with a slash': [() => ({ origin: `${server.issuer}/` }), 'origin'],
  'the origin in capitals': [() => ({ origin: server.issuer.toUpperCase() }), 'origin'],
  'an opaque origin': [() => ({ origin: 'null' }), 'origin'],
  'the id of another relying party': [() => ({ rpId: 'evil.example' }), 'rp_id'],
  'the id of a subdomain': [() => ({ rpId: 'login.localhost' }), 'rp_id'],
  'the origin for an id': [() => ({ rpId: server.issuer }), 'rp_id'],
  'a page in a foreign frame': [() => ({ clientData: { crossOrigin: true } }), 'cross_origin'],
  'a page in a foreign frame that is named': [() => ({ clientData: { crossOrigin: true, topOrigin: 'https://evil.example' } }), 'cross_origin'],
  'a frame that is denied and named': [() => ({ clientData: { topOrigin: 'https://evil.example' } }), 'cross_origin'],
  'the type of a payment': [() => ({ type: 'payment.get' }), 'type'],
  'no type': [() => ({ clientData: { type: undefined } }), 'malformed'],
  'a challenge of its own': [() => ({ challenge: randomBytes(32).toString('base64url') }), 'challenge'],
  'an empty challenge': [() => ({ challenge: '' }), 'challenge'],
  'nobody who touched': [() => ({ flags: { up: false } }), 'user_presence'],
  'nobody who was known': [() => ({ flags: { uv: false } }), 'user_verification'],
  'a backup of what cannot be backed up': [() => ({ flags: { bs: true } }), 'backup_state'],
  'client data that are no JSON': [() => ({ rawClientData: notJson }), 'malformed'],
  'client data that are a list': [() => ({ rawClientData: Buffer.from('[]') }), 'malformed'],
  'client data that are no UTF-8': [() => ({ rawClientData: Buffer.from([0x7b, 0xff, 0x7d]) }), 'malformed'],
  'bytes after the authenticator data': [() => ({ trailing: Buffer.from([1, 2, 3]) }), 'malformed'],
}

for (const [what, [twist, reason]] of Object.entries(both)) {
  test.serial(`signing in with ${what} is refused`, async t => {
    const holder = await makeHolder(server)
    t.is(await refusalOf(signInWith(server.services.passkeys, holder, twist())), `passkey_refused ${reason}`)
    t.is(await refusalOf(signInWith(server.services.passkeys, holder)), 'accepted')
  })

  test.serial(`enrolling with ${what} is refused`, async t => {
    const person = await makePerson(server)
    t.is(await refusalOf(enrol(server, person, twist())), `validation_failed ${reason}`)
    t.deepEqual(await server.services.passkeys.list(person.user.id), [])
  })
}

const uses: Readonly<Record<string, readonly [Twist, string]>> = {
  'the type of an enrolment': [{ type: 'webauthn.create' }, 'passkey_refused type'],
  'the same counter again': [{ counter: 7 }, 'passkey_refused counter'],
  'a counter that went back': [{ counter: 6 }, 'passkey_refused counter'],
  'a counter that went back to zero': [{ counter: 0 }, 'passkey_refused counter'],
  'another key': [{ key: foreignKey }, 'passkey_refused signature'],
  'a key that is synced of late': [{ flags: { be: true } }, 'passkey_refused backup_state'],
  'an unknown credential': [{ credentialId: randomBytes(32).toString('base64url') }, 'passkey_unknown credential'],
  'no user handle': [{ userHandle: null }, 'passkey_refused user'],
  'the handle of another user': [{ userHandle: randomBytes(16).toString('base64url') }, 'passkey_refused user'],
}

for (const [what, [twist, refusal]] of Object.entries(uses))
  test.serial(`signing in with ${what} is refused`, async t => {
    const holder = await makeHolder(server, { twist: { counter: 7 } })
    t.is(await refusalOf(signInWith(server.services.passkeys, holder, twist)), refusal)
  })

const changed = (response: AssertionJson, member: keyof AssertionJson['response'], change: (bytes: Buffer) => Buffer): AssertionJson => ({
  ...response,
  response: { ...response.response, [member]: change(Buffer.from(response.response[member] ?? '', 'base64url')).toString('base64url') },
})
const raised = (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 33), Buffer.from([0, 0, 1, 0])])
const afterwards: Readonly<Record<string, readonly [(response: AssertionJson) => AssertionJson, string]>> = {
  'client data changed after signing': [one => changed(one, 'clientDataJSON', bytes => Buffer.from(bytes.toString().replace('}', ',"a":1}'))), 'signature'],
  'a counter raised after signing': [one => changed(one, 'authenticatorData', raised), 'signature'],
  'half a signature': [one => changed(one, 'signature', bytes => bytes.subarray(0, 30)), 'signature'],
  'authenticator data cut off': [one => changed(one, 'authenticatorData', bytes => bytes.subarray(0, 36)), 'malformed'],
  'two ids': [one => ({ ...one, rawId: 'AAAA' }), 'malformed'],
}

for (const [what, [change, reason]] of Object.entries(afterwards))
  test.serial(`signing in with ${what} is refused`, async t => {
    const { passkeys } = server.services
    const { authenticator } = await makeHolder(server)
    const binding = randomUUID()
    const response = change(authenticator.get(await passkeys.beginProof(visitor(), { binding })))
    t.is(await refusalOf(passkeys.signIn(visitor(), { binding, response })), `passkey_refused ${reason}`)
  })

const enrolments: Readonly<Record<string, readonly [Twist, string]>> = {
  'the type of a sign-in': [{ type: 'webauthn.get' }, 'type'],
  'ES384, which was not offered': [{ algorithm: -35 }, 'algorithm'],
  'RS1, which is broken': [{ algorithm: -65535 }, 'algorithm'],
  'a made-up algorithm': [{ algorithm: -999 }, 'algorithm'],
  'a statement where there should be none': [{ attestation: { fmt: 'none', attStmt: new Map([['a', 1]]) } }, 'attestation'],
  'certificates nobody asked for': [{ attestation: { fmt: 'packed', attStmt: new Map([['x5c', []]]) } }, 'attestation'],
  'a signature of its own that is wrong': [
    {
      attestation: {
        fmt: 'packed',
        attStmt: new Map<string, unknown>([
          ['alg', -7],
          ['sig', new Uint8Array(70)],
        ]),
      },
    },
    'attestation',
  ],
  'a format that nobody knows': [{ attestation: { fmt: 'tpm', attStmt: new Map() } }, 'attestation'],
}

for (const [what, [twist, reason]] of Object.entries(enrolments))
  test.serial(`enrolling with ${what} is refused`, async t => {
    const person = await makePerson(server)
    t.is(await refusalOf(enrol(server, person, twist)), `validation_failed ${reason}`)
  })

const cut = (response: RegistrationJson): RegistrationJson => ({ ...response, response: { ...response.response, attestationObject: 'oWNmbXQ' } })

test.serial('enrolling with an attestation that cannot be read is refused', async t => {
  const { user, actor, binding, authenticator } = await makePerson(server)
  const response = cut(authenticator.create(await server.services.passkeys.beginEnrolment({ user, binding })))
  t.is(await refusalOf(server.services.passkeys.enrol(actor, { user, binding, response })), 'validation_failed malformed')
})

for (const [name, algorithm] of [
  ['EdDSA', -8],
  ['ES256', -7],
  ['RS256', -257],
] as const)
  test.serial(`a passkey by ${name} is enrolled and signs in`, async t => {
    const holder = await makeHolder(server, { twist: { algorithm } })
    const { user, amr } = await signInWith(server.services.passkeys, holder)
    t.is(user.id, holder.user.id)
    t.deepEqual(amr, ['hwk', 'user', 'mfa'])
  })

const issuer = 'https://id.example.com'
const ceremonies = createCeremonies({ issuer, productName: 'Authy2', policy: { residentKey: 'required', userVerification: 'required' } })
const challenge = Buffer.alloc(32, 7).toString('base64url')
const user = { handle: 'AAAA', name: 'ada@example.com', displayName: 'Ada' }

/** Whether it was taken; throws what is no refusal. */
const isTaken = async (verify: () => Promise<unknown>): Promise<boolean> => {
  try {
    await verify()
    return true
  } catch (error) {
    if (error instanceof PasskeyRefusal) return false
    throw error
  }
}

const register = (response: RegistrationJson) => ceremonies.verifyRegistration(response, challengeOf(response))

const damage = fc.record({ at: fc.nat(), bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }), isCut: fc.boolean() })
const damaged = (text: string, { at, bytes, isCut }: { at: number; bytes: Uint8Array; isCut: boolean }, within?: readonly [number, number]): string => {
  const whole = Buffer.from(text, 'base64url')
  const [first, length] = within ?? [0, whole.length]
  const place = first + (at % length)
  return Buffer.concat([whole.subarray(0, place), bytes, isCut ? Buffer.alloc(0) : whole.subarray(place + bytes.length)]).toString('base64url')
}

test('an issuer has its host for an id and itself for an origin', async t => {
  t.is((await ceremonies.requestOptions({ challenge })).rpId, 'id.example.com')
  t.true(await isTaken(async () => register(createAuthenticator(issuer).create(await ceremonies.creationOptions({ challenge, user, exclude: [] })))))
})

for (const member of ['clientDataJSON', 'attestationObject'] as const)
  test(`an enrolment whose ${member} was damaged is kept or refused, never a failure`, async t => {
    const whole = createAuthenticator(issuer).create(await ceremonies.creationOptions({ challenge, user, exclude: [] }))
    const one = fc.asyncProperty(damage, async how => {
      const response = { ...whole, response: { ...whole.response, [member]: damaged(whole.response[member], how) } }
      await isTaken(() => register(response))
    })
    await t.notThrowsAsync(fc.assert(one, { numRuns: 400 }))
  })

for (const member of ['clientDataJSON', 'authenticatorData', 'signature'] as const)
  test(`a use whose ${member} was damaged is refused`, async t => {
    const authenticator = createAuthenticator(issuer)
    const credential = await register(authenticator.create(await ceremonies.creationOptions({ challenge, user, exclude: [] })))
    const whole = authenticator.get(await ceremonies.requestOptions({ challenge }))
    t.true(await isTaken(() => ceremonies.verifyAssertion(whole, { challenge, credential })))
    const one = fc.asyncProperty(damage, async how => {
      // Of a signature the first of its two numbers: whoever reads it may be lenient with the DER around them, which says nothing.
      const changed = damaged(whole.response[member] ?? '', how, member === 'signature' ? [4, 24] : undefined)
      if (changed === whole.response[member]) return
      const response: AssertionJson = { ...whole, response: { ...whole.response, [member]: changed } }
      if (await isTaken(async () => ceremonies.verifyAssertion(response, { challenge: challengeOf(response), credential }))) throw new Error('it was taken')
    })
    await t.notThrowsAsync(fc.assert(one, { numRuns: 400 }))
  })

test('a structure that nests without end is refused', async t => {
  const whole = createAuthenticator(issuer).create(await ceremonies.creationOptions({ challenge, user, exclude: [] }))
  for (const bytes of [Buffer.alloc(12_000, 0x81), Buffer.from([0xbb, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff]), Buffer.from([0x9a, 0xff, 0xff, 0xff, 0xff])]) {
    const response = { ...whole, response: { ...whole.response, attestationObject: bytes.toString('base64url') } }
    t.false(await isTaken(() => register(response)))
  }
})

test('what expired is purged, and what lives is left', async t => {
  const at = (offsetSeconds: number) => createPasskeyChallenges({ database, randomBytes, now: () => new Date(Date.now() + offsetSeconds * 1000) })
  const use = { ceremony: 'authentication', binding: 'browser' } as const
  await at(-400).issue(use)
  const living = await at(0).issue(use)
  await purgePasskeyChallenges(database, 100)
  const rows = await database.prisma.passkeyChallenge.findMany()
  t.is(rows.length, 1)
  t.false(JSON.stringify(rows.map(({ hash, bindingHash }) => [Buffer.from(hash).toString('base64url'), Buffer.from(bindingHash).toString()])).includes(living))
  t.true(await at(0).redeem(living, use))
  t.false(await at(0).redeem(living, use))
})
