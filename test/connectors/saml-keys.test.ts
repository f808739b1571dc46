// The keys of a SAML connection: the provider's certificates, ours for requests, and what the test of a connection says of them.
import { generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { samlSecrets } from '../../src/connectors/saml-settings.ts'
import type { Database } from '../../src/platform/data/database.ts'
import { openTestDatabase } from '../support/database.ts'
import { base64Of, certify, makeIdentity } from '../support/upstreams/certificate.ts'
import { makeConnection, makeConnector, refusalOf, signIn } from '../support/upstreams/saml-ground.ts'
import { type SamlIdp, startSamlIdp } from '../support/upstreams/saml-idp.ts'

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
