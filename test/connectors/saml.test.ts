// People of a SAML provider: a real provider, a real database, the ways the providers in use answer; and the keys of the connection, its
// provider's and ours.

import { generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { samlSecrets } from '../../src/connectors/saml-settings.ts'
import type { Database } from '../../src/platform/data/database.ts'
import { openTestDatabase } from '../support/database.ts'
import { base64Of, certify, makeIdentity } from '../support/upstreams/certificate.ts'
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

test.serial('while a provider changes its key, both certificates are believed, and afterwards only the new one', async t => {
  const own = await startSamlIdp()
  t.teardown(own.close)
  own.answer.nameId = 'ada'
  const [before] = own.settings().certificates
  const next = makeIdentity()
  const both = makeConnection({ ...own.settings(), certificates: [next.certificate, before] })
  const connector = makeConnector(database)
  t.is((await signIn(connector, both, own.signIn)).subject, 'ada')
  own.rollOver(next)
  t.is((await signIn(connector, both, own.signIn)).subject, 'ada')
  const old = makeConnection({ ...own.settings(), certificates: [before] })
  t.deepEqual(await refusalOf(signIn(connector, old, own.signIn)), { code: 'upstream_answer_invalid', reason: 'signature' })
})

test.serial('a pinned certificate that expired is believed still, and the test of the connection says so', async t => {
  const own = await startSamlIdp()
  t.teardown(own.close)
  const { privateKey, certificate } = makeIdentity()
  const expired = certify(privateKey, { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') })
  own.rollOver(expired)
  const connector = makeConnector(database)
  const future = certify(privateKey, { notBefore: new Date('2090-01-01'), notAfter: new Date('2091-01-01') }).certificate
  const connection = makeConnection({ ...own.settings(), certificates: [base64Of(expired.certificate), certificate, future] })
  await t.notThrowsAsync(signIn(connector, connection, own.signIn))
  const findings = await connector.test(connection)
  t.deepEqual(
    findings.filter(({ check }) => check.startsWith('certificate')).map(({ isGood }) => isGood),
    [false, true, false],
  )
  t.regex(findings[0]?.detail ?? '', /2021-01-01/)
})

for (const binding of ['redirect', 'post'] as const) {
  test.serial(`a provider that wants signed requests verifies those by ${binding} with the key in our metadata`, async t => {
    const [own, other] = [makeIdentity(), makeIdentity()]
    const connector = makeConnector(database)
    let metadata = ''
    const strict = await startSamlIdp({ serviceProvider: () => metadata })
    t.teardown(strict.close)
    const signed = makeConnection({ ...strict.settings(), sso_binding: binding, signing_certificate: own.certificate }, { signing_key: own.privateKey })
    metadata = connector.describe?.(signed).body ?? ''
    t.is((await signIn(connector, signed, strict.signIn)).subject, 'upstream-1')
    await t.throwsAsync(signIn(connector, { ...signed, secrets: { signing_key: other.privateKey } }, strict.signIn), { message: /ERR|signature/i })
    await t.throwsAsync(signIn(connector, { ...signed, secrets: {} }, strict.signIn), { message: /ERR|signature/i })
  })
}

test('the test of a connection says when the key that signs requests and its certificate do not belong together', async t => {
  const [own, other] = [makeIdentity(), makeIdentity()]
  const connector = makeConnector(database)
  const isGood = async (settings: object, secrets = {}) => {
    const findings = await connector.test(makeConnection({ ...idp.settings(), ...settings }, secrets))
    return findings.filter(({ check }) => check.startsWith('sign')).map(finding => finding.isGood)
  }
  t.deepEqual(await isGood({}), [])
  t.deepEqual(await isGood({ signing_certificate: own.certificate }, { signing_key: own.privateKey }), [true])
  t.deepEqual(await isGood({ signing_certificate: own.certificate }, { signing_key: other.privateKey }), [false])
  t.deepEqual(await isGood({ signing_certificate: own.certificate }), [false])
  t.deepEqual(await isGood({}, { signing_key: own.privateKey }), [false])
  const wanted = { wants_signed_requests: true }
  t.deepEqual(await isGood(wanted), [false])
  t.deepEqual(await isGood({ ...wanted, signing_certificate: own.certificate }, { signing_key: own.privateKey }), [true])
})

test('the test of a connection says that encrypted assertions are refused', async t => {
  const findings = await makeConnector(database).test(makeConnection(idp.settings()))
  t.true(findings.some(({ check }) => check === 'encryption'))
})

test('only a private key of RSA that is long enough signs requests', t => {
  const { privateKey, certificate } = makeIdentity()
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' })
  t.true(samlSecrets.safeParse({ signing_key: privateKey }).success)
  for (const key of [certificate, curve, makeIdentity({ modulusLength: 1024 }).privateKey, '', 'key'])
    t.false(samlSecrets.safeParse({ signing_key: key }).success)
})
