// What is kept of somebody that a SAML provider tells of, as with every other kind of provider.
import test from 'ava'
import { readPerson } from '../../src/connectors/saml-person.ts'
import { samlSettings } from '../../src/connectors/saml-settings.ts'
import { childrenOf, readXml } from '../../src/connectors/saml-xml.ts'
import { makeIdentity } from '../support/upstreams/certificate.ts'
import { writeResponse } from '../support/upstreams/saml-document.ts'

const { certificate } = makeIdentity()
const saml = 'urn:oasis:names:tc:SAML:2.0:assertion'
type Attributes = Readonly<Record<string, string | readonly string[]>>

const read = (attributes: Attributes, { nameId = 'ada', nameIdFormat = '', mapped = {}, change = (xml: string) => xml } = {}) => {
  const said = { issuer: 'i', entityId: 'e', callbackUrl: 'c', requestId: '_1', now: new Date(), nameId, attributes, ...(nameIdFormat && { nameIdFormat }) }
  const [assertion] = childrenOf(readXml(change(writeResponse(said))), saml, 'Assertion')
  if (!assertion) throw new Error('There is no assertion.')
  return readPerson(assertion, samlSettings.parse({ idp_entity_id: 'i', sso_url: 'https://idp.example', certificates: [certificate], attributes: mapped }), 'e')
}
const withoutName = (xml: string) => xml.replace(/<saml:NameID>[^<]*<\/saml:NameID>/, '')

test('an address is kept in its canonical form, and what is none is not kept', t => {
  t.is(read({ mail: ' Ada@EXAMPLE.com ' }).email, 'ada@example.com')
  t.like(read({ mail: 'ada' }), { isEmailVerified: false })
  t.false('email' in read({ mail: 'ada@example.com, eve@example.com' }))
  t.is(read({ email: '-', mail: 'ada@example.com' }).email, 'ada@example.com')
})

test('a name of too many characters, or with some that nobody sees, is not kept', t => {
  t.is(read({ displayName: ' Ada Lovelace ' }).name, 'Ada Lovelace')
  for (const displayName of ['a'.repeat(201), 'Ada\u0085']) t.is(read({ displayName }).name, undefined)
})

test('tokens are not kept, and no more than 16 KiB: groups and name before the rest', t => {
  const groups = Array.from({ length: 100 }, (_, index) => `group-${index}`)
  const { claims } = read({
    aaa: 'a'.repeat(16_000),
    access_token: 'secret',
    id: 'eyJhbGciOiJub25lIn0.e30.',
    department: 'engine',
    memberOf: groups,
    name_id: 'eve',
  })
  t.deepEqual(Object.keys(claims).toSorted(), ['department', 'groups', 'memberOf', 'name_id'])
  t.deepEqual(claims.groups, groups)
  t.is(claims.name_id, 'ada')
})

test('markup in an attribute that nothing maps is left out, and in one that is mapped refused', t => {
  const change = (xml: string) => xml.replaceAll('MARKUP', '<a>1</a>')
  t.deepEqual(read({ address: ['MARKUP', 'London'], uid: '7' }, { change }).claims, { name_id: 'ada', groups: [], address: 'London', uid: '7' })
  t.like(
    t.throws(() => read({ uid: 'MARKUP' }, { change, mapped: { subject: 'uid' } })),
    { reason: 'markup' },
  )
})

test('no name of the subject is needed where an attribute names the person', t => {
  t.is(read({ uid: '7' }, { change: withoutName, mapped: { subject: 'uid' } }).subject, '7')
  t.like(
    t.throws(() => read({ uid: '7' }, { change: withoutName })),
    { reason: 'subject' },
  )
})

for (const [format, email] of Object.entries({
  '': 'ada@example.com',
  'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified': 'ada@example.com',
  'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress': 'ada@example.com',
  'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent': undefined,
  'urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName': undefined,
})) {
  test(`a name of the format «${format}» that reads like an address is ${email ? 'one' : 'none'}`, t => {
    t.is(read({}, { nameId: 'ada@example.com', nameIdFormat: format }).email, email)
    t.is(read({ mail: 'eve@example.com' }, { nameId: 'ada@example.com', nameIdFormat: format }).email, 'eve@example.com')
  })
}

test('one name in two stores of users is two people, and the provider’s own store is what is meant where none is named', t => {
  const qualified = (attributes: string) => read({}, { nameId: '1001', change: xml => xml.replace('<saml:NameID>', `<saml:NameID ${attributes}>`) }).subject
  for (const own of ['', 'NameQualifier="i"', 'SPNameQualifier="e"', 'NameQualifier="i" SPNameQualifier="e"', 'NameQualifier=""'])
    t.is(qualified(own), '1001', own)
  const others = ['NameQualifier="https://students.example"', 'NameQualifier="https://staff.example"', 'SPNameQualifier="another"'].map(qualified)
  t.is(new Set(['1001', ...others]).size, 4)
  t.throws(() => qualified('NameQualifier=" i"'))
})
