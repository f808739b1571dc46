// Metadata in both directions: ours as a provider's library reads it, and the provider's as settings.
import { X509Certificate } from 'node:crypto'
import test from 'ava'
import { readMetadata as read } from '../../src/connectors/saml-metadata.ts'
import { writeMetadata } from '../../src/connectors/saml-own-metadata.ts'
import { samlSettings } from '../../src/connectors/saml-settings.ts'
import { Problem } from '../../src/platform/errors.ts'
import { base64Of, makeIdentity } from '../support/upstreams/certificate.ts'
import { makeConnection } from '../support/upstreams/saml-ground.ts'
import { startSamlIdp } from '../support/upstreams/saml-idp.ts'
import { samlify } from '../support/upstreams/saml-libraries.ts'

const now = new Date()
const readMetadata = (document: string) => read(document, now)
const one = makeIdentity()
const two = makeIdentity()
const weak = makeIdentity({ modulusLength: 1024 })
const settings = { idp_entity_id: 'https://idp.example', sso_url: 'https://idp.example/sso', certificates: [one.certificate] }
const bindings = 'urn:oasis:names:tc:SAML:2.0:bindings:'

const key = (certificate: string, use?: string) =>
  `<md:KeyDescriptor${use ? ` use="${use}"` : ''}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>\n${base64Of(certificate)}\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`
const service = (binding: string, location = 'https://idp.example/sso') => `<md:SingleSignOnService Binding="${bindings}${binding}" Location="${location}"/>`
const role = (inner: string, protocol = 'urn:oasis:names:tc:SAML:2.0:protocol') =>
  `<md:IDPSSODescriptor protocolSupportEnumeration="${protocol}">${inner}</md:IDPSSODescriptor>`
const entity = (inner: string, id = 'https://idp.example') =>
  `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="${id}">${inner}</md:EntityDescriptor>`
const list = (...entities: readonly string[]) =>
  `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">${entities.join('')}</md:EntitiesDescriptor>`
const good = entity(role(key(one.certificate, 'signing') + service('HTTP-POST') + service('HTTP-Redirect')))

test('ours is read by a library of providers', t => {
  const connection = makeConnection(settings)
  const { entityMeta } = samlify.ServiceProvider({ metadata: writeMetadata(connection) })
  t.is(entityMeta.getEntityID(), connection.entityId)
  t.is(entityMeta.getAssertionConsumerService('post'), connection.callbackUrl)
})

test('ours says what is asked and wanted', t => {
  const written = (more: object) => writeMetadata(makeConnection({ ...settings, ...more }))
  t.regex(written({}), /AuthnRequestsSigned="false" WantAssertionsSigned="true"/)
  t.regex(written({ signed: 'response' }), /WantAssertionsSigned="false"/)
  t.is(written({}).match(/<md:NameIDFormat>/g)?.length, 3)
  t.deepEqual(written({ name_id_format: 'persistent' }).match(/nameid-format:\w+/g), ['nameid-format:persistent'])
})

test('ours is escaped', t => {
  const connection = { ...makeConnection(settings), entityId: 'https://id.example/"><script>', callbackUrl: "https://id.example/?a=b&c='" }
  t.notRegex(writeMetadata(connection), /<script>|&c/)
  t.is(samlify.ServiceProvider({ metadata: writeMetadata(connection) }).entityMeta.getEntityID(), connection.entityId)
})

test('that of a real provider makes settings', async t => {
  const idp = await startSamlIdp()
  t.teardown(idp.close)
  const settings = readMetadata(idp.metadata())
  t.like(settings, { idp_entity_id: idp.entityId, sso_url: idp.ssoUrl, sso_binding: 'redirect' })
  t.deepEqual(settings, samlSettings.parse({ ...idp.settings(), sso_binding: 'redirect' }))
})

test('a certificate counts for signatures where it says so, and where it says nothing; one for encryption does not', t => {
  const { certificates } = readMetadata(
    entity(role(key(one.certificate) + key(two.certificate, 'signing') + key(weak.certificate, 'encryption') + service('HTTP-Redirect'))),
  )
  t.deepEqual(
    certificates.map(pem => new X509Certificate(pem).fingerprint256),
    [one, two].map(({ certificate }) => new X509Certificate(certificate).fingerprint256),
  )
})

const accepted: Readonly<Record<string, string>> = {
  'with a declaration, comments and a byte order mark': `\uFEFF<?xml version="1.0" encoding="utf-8"?>\n<!-- of idp.example --><!---->${good}\n<!-- end -->`,
  'in a list of its own': list(good),
  'in a list with those that are no providers of identities': list(entity('', 'https://sp.example'), good),
  'with a certificate twice': entity(role(key(one.certificate) + key(one.certificate, 'signing') + service('HTTP-Redirect'))),
  'with a role of SAML 1.1 before': entity(role('', 'urn:oasis:names:tc:SAML:1.1:protocol') + role(key(one.certificate) + service('HTTP-Redirect'))),
}
for (const [name, document] of Object.entries(accepted)) {
  test(`metadata ${name} is read`, t => {
    t.like(readMetadata(document), { idp_entity_id: 'https://idp.example', sso_url: 'https://idp.example/sso', sso_binding: 'redirect' })
    t.is(readMetadata(document).certificates.length, 1)
  })
}

test('a provider that takes no redirect is asked by POST', t => {
  t.is(readMetadata(entity(role(key(one.certificate) + service('HTTP-POST')))).sso_binding, 'post')
})

test('a provider that wants signed requests is remembered as one', t => {
  const document = entity(role(key(one.certificate) + service('HTTP-Redirect')))
  const wanting = (value: string) => readMetadata(document.replace('<md:IDPSSODescriptor', `$& WantAuthnRequestsSigned="${value}"`)).wants_signed_requests
  for (const value of ['true', '1']) t.true(wanting(value))
  for (const value of ['false', '0']) t.false(wanting(value))
  t.false(readMetadata(document).wants_signed_requests)
})

test('certificates that cannot be used are left out as long as one can', t => {
  const inner = key('MIIB') + key(weak.certificate) + key(one.certificate)
  const { certificates } = readMetadata(entity(role(inner + service('HTTP-Redirect'))))
  t.deepEqual(certificates, [new X509Certificate(one.certificate).toString()])
})

test('the address of a provider is by https, or of this machine, and holds no credentials', t => {
  const isGood = (address: string) => samlSettings.safeParse({ ...settings, sso_url: address }).success
  for (const address of ['https://idp.example/sso?a=b', 'http://localhost:8080/sso', 'http://127.0.0.1/sso', 'http://[::1]/sso']) t.true(isGood(address))
  for (const address of [
    'http://idp.example/sso',
    'https://ada:secret@idp.example/sso',
    'https://ada@idp.example/',
    'ftp://localhost/',
    'javascript:alert(1)',
  ]) {
    t.false(isGood(address), address)
  }
})

const refused: Readonly<Record<string, string>> = {
  'that is empty': '',
  'that is no XML': '{}',
  'with a document type': `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>${good}`,
  'with a document type behind a comment': `<!-- --><!DOCTYPE x>${good}`,
  'with a document type that a comment hides': `<!<!-- -->DOCTYPE x>${good}`,
  'with an entity': good.replace('entityID="', 'entityID="&evil;'),
  'with a comment that never ends': `${good}<!--`,
  'with 100,000 comments that never end': '<!--'.repeat(100_000),
  'that is too large': `${good}${' '.repeat(512 * 1024)}`,
  'of a service provider': entity('<md:SPSSODescriptor/>'),
  'of two providers': list(good, good.replace('https://idp.example"', 'https://evil.example"')),
  'of another namespace': good.replaceAll('urn:oasis:names:tc:SAML:2.0:metadata', 'urn:evil'),
  'of SAML 1.1 alone': entity(role(key(one.certificate) + service('HTTP-Redirect'), 'urn:oasis:names:tc:SAML:1.1:protocol')),
  'without a certificate': entity(role(service('HTTP-Redirect'))),
  'with a certificate for encryption alone': entity(role(key(one.certificate, 'encryption') + service('HTTP-Redirect'))),
  'with a certificate that is none': entity(role(key('MIIB') + service('HTTP-Redirect'))),
  'with a key that is too short': entity(role(key(weak.certificate) + service('HTTP-Redirect'))),
  'with markup in a certificate': good.replace('<ds:X509Certificate>', '<ds:X509Certificate><ds:x/>'),
  'with markup in the name of the entity (S10)': good.replace('entityID="', 'entityID="&lt;script&gt;'),
  'with a quote in the name of the entity (S10)': good.replace('entityID="', 'entityID="&quot; onload=&quot;'),
  'without a name of the entity': good.replace(/entityID="[^"]*"/, ''),
  'with a script for an address (S10)': entity(role(key(one.certificate) + service('HTTP-Redirect', 'javascript:alert(1)'))),
  'without an address': entity(role(key(one.certificate))),
  'with an address for SOAP alone': entity(role(key(one.certificate) + service('SOAP'))),
}
for (const [name, document] of Object.entries(refused)) {
  test(`metadata ${name} is refused`, t => {
    const error = t.throws(() => readMetadata(document), { instanceOf: Problem })
    t.is(error?.code, 'validation_failed')
  })
}

test('a certificate that is a private key, or of another kind, is no setting', t => {
  for (const certificate of [one.privateKey, 'text', '', weak.certificate, `${one.certificate}${two.certificate}`]) {
    t.false(samlSettings.safeParse({ ...settings, certificates: [certificate] }).success)
  }
  for (const certificate of [one.certificate, base64Of(one.certificate), `\n${one.certificate}\n`]) {
    t.deepEqual(samlSettings.parse({ ...settings, certificates: [certificate] }).certificates, [new X509Certificate(one.certificate).toString()])
  }
})

test('settings that were read are read again as they are', t => {
  const once = samlSettings.parse(settings)
  t.deepEqual(samlSettings.parse(JSON.parse(JSON.stringify(once))), once)
})

test('metadata that has expired is refused, be it a list’s or the provider’s own time', t => {
  const until = (xml: string, element: string, time: string) => xml.replace(`<md:${element} `, `<md:${element} validUntil="${time}" `)
  const [past, later] = [-1000, 60_000].map(ago => new Date(now.getTime() + ago).toISOString())
  for (const element of ['EntityDescriptor', 'IDPSSODescriptor', 'EntitiesDescriptor']) {
    const document = list(entity('', 'https://sp.example'), good)
    const of = (time = '') => (element === 'EntityDescriptor' ? until(good, element, time) : until(document, element, time))
    t.throws(() => readMetadata(of(past)), { message: /./ }, `${element} in the past`)
    t.throws(() => readMetadata(of('tomorrow')), undefined, `${element} at no time`)
    t.is(readMetadata(of(later)).idp_entity_id, 'https://idp.example', element)
  }
})
