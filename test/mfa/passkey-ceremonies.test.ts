// Answers that were damaged anywhere are refused as such, never a failure of ours.
import test from 'ava'
import fc from 'fast-check'
import { type AssertionJson, PasskeyRefusal, type RegistrationJson } from '../../src/mfa/passkey.ts'
import { createCeremonies } from '../../src/mfa/passkey-ceremonies.ts'
import { challengeOf } from '../../src/mfa/passkey-shape.ts'
import { createAuthenticator } from '../support/authenticator.ts'

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
