// People of a SAML provider: a real provider, a real database, and the ways the providers in use answer.
import test from 'ava'
import type { Database } from '../../src/platform/data/database.ts'
import { openTestDatabase } from '../support/database.ts'
import { makeConnection, makeConnector, refusalOf, signIn } from '../support/upstreams/saml-ground.ts'
import { type SamlAnswer, type SamlIdp, startSamlIdp } from '../support/upstreams/saml-idp.ts'
import { styles } from '../support/upstreams/saml-styles.ts'

let database: Database
let idp: SamlIdp

test.before(async () => {
  database = await openTestDatabase()
  idp = await startSamlIdp()
})
test.after.always(async () => {
  await idp?.close()
  await database?.close()
})

const plain: SamlAnswer = { nameId: 'ada', attributes: {}, signs: 'both', clockAheadSeconds: 0 }
const answer = (said: Partial<SamlAnswer>) => {
  for (const key of Object.keys(idp.answer)) delete (idp.answer as unknown as Record<string, unknown>)[key]
  Object.assign(idp.answer, plain, said)
}

for (const { name, answer: said, settings = {}, told } of styles) {
  test.serial(`somebody of ${name} is known by what it tells`, async t => {
    answer(said)
    const identity = await signIn(makeConnector(database), makeConnection({ ...idp.settings(), ...settings }), idp.signIn)
    t.is(identity.subject, told.subject)
    t.is(identity.email, told.email)
    t.is(identity.isEmailVerified, told.email !== undefined)
    t.is(identity.name, told.name)
    t.deepEqual(identity.claims.groups, told.groups ?? [])
    t.true(identity.authenticatedAt && Math.abs(identity.authenticatedAt.getTime() - Date.now()) < 60_000)
  })
}

for (const binding of ['redirect', 'post'] as const) {
  test.serial(`a request by ${binding} says who asks, where the answer goes and whether to sign in again`, async t => {
    answer({})
    const connection = makeConnection({ ...idp.settings(), sso_binding: binding, name_id_format: 'persistent' })
    answer({ nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent' })
    await signIn(makeConnector(database), connection, idp.signIn, { isAgain: true })
    const request = idp.requests.at(-1)
    t.like(request, { binding, issuer: connection.entityId, callbackUrl: connection.callbackUrl })
    t.regex(request?.id ?? '', /^_[0-9a-f]{40}$/)
    t.true((request?.relayState.length ?? 99) <= 80)
    t.regex(request?.xml ?? '', /ForceAuthn="true"/)
    t.regex(request?.xml ?? '', /Format="urn:oasis:names:tc:SAML:2\.0:nameid-format:persistent"/)
    t.notRegex(request?.xml ?? '', /RequestedAuthnContext/)
  })
}

for (const signs of ['assertion', 'response', 'both'] as const) {
  for (const signed of ['either', 'assertion', 'response', 'both'] as const) {
    const isEnough = signed === 'either' || signs === 'both' || signs === signed
    test.serial(`${signs} signed is ${isEnough ? '' : 'not '}enough where ${signed} is wanted`, async t => {
      answer({ signs })
      const refusal = await refusalOf(signIn(makeConnector(database), makeConnection({ ...idp.settings(), signed }), idp.signIn))
      t.deepEqual(refusal, isEnough ? undefined : { code: 'upstream_answer_invalid', reason: 'unsigned' })
    })
  }
}

for (const clockAheadSeconds of [-355, -55, 55]) {
  test.serial(`an answer is taken when the clock of the provider differs by ${clockAheadSeconds} s`, async t => {
    // What was issued at the limit of its age still holds: the assertion is good for longer than we let it be.
    answer({ clockAheadSeconds, prepare: xml => xml.replaceAll(/NotOnOrAfter="[^"]*"/g, `NotOnOrAfter="${new Date(Date.now() + 600_000).toISOString()}"`) })
    t.is((await signIn(makeConnector(database), makeConnection(idp.settings()), idp.signIn)).subject, 'ada')
  })
}

for (const code of ['AuthnFailed', 'NoPassive', 'RequestDenied']) {
  test.serial(`a provider that answers ${code} refused the person`, async t => {
    answer({ status: ['Responder', code] })
    t.deepEqual(await refusalOf(signIn(makeConnector(database), makeConnection(idp.settings()), idp.signIn)), { code: 'upstream_refused', reason: 'status' })
  })
}

test.serial('a provider that answers with any other status could not be used', async t => {
  answer({ status: ['Responder', 'InvalidNameIDPolicy'] })
  const refusal = await refusalOf(signIn(makeConnector(database), makeConnection(idp.settings()), idp.signIn))
  t.deepEqual(refusal, { code: 'upstream_answer_invalid', reason: 'status' })
})

test.serial('an address counts as verified only by the policy of the connection, or by the text true of its attribute', async t => {
  const told = async (settings: object, attributes: Record<string, string>) => {
    answer({ attributes: { mail: 'ada@example.com', ...attributes } })
    return (await signIn(makeConnector(database), makeConnection({ ...idp.settings(), ...settings }), idp.signIn)).isEmailVerified
  }
  t.true(await told({}, {}))
  t.false(await told({ is_email_verified: false }, {}))
  const byAttribute = { attributes: { email_verified: 'verified' } }
  t.true(await told(byAttribute, { verified: 'true' }))
  for (const value of ['false', 'True', '1', 'yes']) t.false(await told(byAttribute, { verified: value }))
  t.false(await told(byAttribute, {}))
})

test.serial('whoever had to sign in again and did not is refused', async t => {
  answer({ say: said => ({ ...said, authenticatedAt: new Date(Date.now() - 3_600_000) }) })
  const connection = makeConnection(idp.settings())
  await t.notThrowsAsync(signIn(makeConnector(database), connection, idp.signIn))
  const refusal = await refusalOf(signIn(makeConnector(database), connection, idp.signIn, { isAgain: true }))
  t.deepEqual(refusal, { code: 'upstream_answer_invalid', reason: 'authentication' })
})

test.serial('where a format of names was asked for, a name of another is refused', async t => {
  const named = async (nameIdFormat: string | undefined) => {
    answer({ nameIdFormat })
    return refusalOf(signIn(makeConnector(database), makeConnection({ ...idp.settings(), name_id_format: 'persistent' }), idp.signIn))
  }
  t.is(await named('urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'), undefined)
  for (const format of [undefined, 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress', 'urn:oasis:names:tc:SAML:1.1:nameid-format:persistent']) {
    t.deepEqual(await named(format), { code: 'upstream_answer_invalid', reason: 'name_id' })
  }
})

test.serial('where people are known by an attribute, it has to be told once, and to be a name', async t => {
  const told = async (attributes: SamlAnswer['attributes']) => {
    answer({ attributes })
    return refusalOf(signIn(makeConnector(database), makeConnection({ ...idp.settings(), attributes: { subject: 'uid' } }), idp.signIn))
  }
  t.is(await told({ uid: 'ada' }), undefined)
  const wrong: SamlAnswer['attributes'][] = [{}, { uid: [] }, { uid: ['ada', 'admin'] }, { uid: '' }, { uid: 'ad\u200ba' }]
  for (const attributes of wrong) {
    t.deepEqual(await told(attributes), { code: 'upstream_answer_invalid', reason: 'attributes' })
  }
})

test.serial('an answer is refused when nothing was kept of a request', async t => {
  answer({ prepare: xml => xml.replaceAll(/InResponseTo="[^"]*"/g, 'InResponseTo=""') })
  const connector = makeConnector(database)
  const connection = makeConnection(idp.settings())
  const wish = { state: 'state', isAgain: false }
  const answered = await idp.signIn(await connector.begin(connection, wish))
  const refusal = await refusalOf(connector.complete(connection, { ...wish, kept: {}, answer: answered }))
  t.deepEqual(refusal, { code: 'upstream_answer_invalid', reason: 'unsolicited' })
})

test.serial('what is signed by its assertion alone needs neither issuer nor destination around it', async t => {
  answer({ signs: 'assertion', prepare: xml => xml.replace(/ Destination="[^"]*"/, '').replace(/<saml:Issuer>[^<]*<\/saml:Issuer>/, '') })
  t.is((await signIn(makeConnector(database), makeConnection(idp.settings()), idp.signIn)).subject, 'ada')
})

test.serial('other confirmations of the subject may stand beside ours', async t => {
  const vouched = '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"/>'
  const another = (xml: string) => xml.replace(/Recipient="[^"]*"/, 'Recipient="https://another.example/callback"')
  answer({ prepare: xml => xml.replace(/<saml:SubjectConfirmation .*<\/saml:SubjectConfirmation>/, all => vouched + another(all) + all) })
  t.is((await signIn(makeConnector(database), makeConnection(idp.settings()), idp.signIn)).subject, 'ada')
})

test.serial('somebody of 1,000 groups signs in, also where each declares its own namespaces', async t => {
  const groups = Array.from({ length: 1000 }, (_, index) => `group-${index}`)
  const xs = 'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string"'
  for (const prepare of [undefined, (xml: string) => xml.replaceAll('<saml:AttributeValue>', `<saml:AttributeValue ${xs}>`)]) {
    answer({ attributes: { groups }, prepare })
    t.deepEqual((await signIn(makeConnector(database), makeConnection(idp.settings()), idp.signIn)).claims.groups, groups)
  }
})
