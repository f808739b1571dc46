// How the providers in use answer, as their documentation shows it: names, formats, signatures and the dress of their XML.
import type { SamlAnswer } from './saml-idp.ts'

/** One provider's way. */
export interface Style {
  readonly name: string
  readonly answer: Pick<SamlAnswer, 'nameId' | 'nameIdFormat' | 'attributes' | 'signs' | 'prepare'>
  /** What its administrator sets besides entity, address and certificate. */
  readonly settings?: object
  readonly told: { readonly subject: string; readonly email?: string; readonly name?: string; readonly groups?: readonly string[] }
}

const soap = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/'
const microsoft = 'http://schemas.microsoft.com/'
const email = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress'
const unspecified = 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified'
const persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'
const transient = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient'

const prefixed = (xml: string) => xml.replaceAll(/(<\/?|xmlns:)samlp\b/g, '$1saml2p').replaceAll(/(<\/?|xmlns:)saml\b/g, '$1saml2')
const typed = (xml: string) =>
  xml.replaceAll(
    /<((?:\w+:)?AttributeValue)>/g,
    '<$1 xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">',
  )
const declared = (xml: string) => `<?xml version="1.0" encoding="UTF-8"?>\n${xml}`
const indented = (xml: string) => xml.replaceAll('><', '>\r\n  <')
// The assertion declares its own namespace and has no prefix.
const unprefixed = (xml: string) =>
  xml.replaceAll(/(<\/?)saml:/g, '$1').replaceAll(/<(Assertion|Issuer)(?=[ >])/g, '<$1 xmlns="urn:oasis:names:tc:SAML:2.0:assertion"')

/** All of them. */
export const styles: readonly Style[] = [
  {
    name: 'Okta',
    answer: {
      nameId: '00u1a2b3c4',
      nameIdFormat: unspecified,
      attributes: { firstName: 'Ada', lastName: 'Lovelace', email: 'ada@okta.example', groups: ['Everyone', 'Engine'] },
      signs: 'both',
      prepare: xml => declared(typed(prefixed(xml))),
    },
    told: { subject: '00u1a2b3c4', email: 'ada@okta.example', name: 'Ada Lovelace', groups: ['Everyone', 'Engine'] },
  },
  {
    name: 'Microsoft Entra ID',
    answer: {
      nameId: 'AAdzZXRQ3nJ5x',
      nameIdFormat: persistent,
      attributes: {
        [`${microsoft}identity/claims/displayname`]: 'Ada Lovelace',
        [`${microsoft}ws/2008/06/identity/claims/groups`]: ['2f0c', '81aa'],
        [`${soap}emailaddress`]: 'ada@entra.example',
        [`${soap}name`]: 'ada@entra.example',
      },
      signs: 'assertion',
      prepare: unprefixed,
    },
    settings: { name_id_format: 'persistent' },
    told: { subject: 'AAdzZXRQ3nJ5x', email: 'ada@entra.example', name: 'Ada Lovelace', groups: ['2f0c', '81aa'] },
  },
  {
    name: 'ADFS',
    answer: {
      nameId: 'ada@adfs.example',
      nameIdFormat: email,
      attributes: { [`${soap}emailaddress`]: 'ada@adfs.example', [`${soap}givenname`]: 'Ada', [`${soap}surname`]: 'Lovelace' },
      signs: 'assertion',
      prepare: unprefixed,
    },
    settings: { name_id_format: 'email', signed: 'assertion' },
    told: { subject: 'ada@adfs.example', email: 'ada@adfs.example', name: 'Ada Lovelace' },
  },
  {
    name: 'Google Workspace',
    answer: { nameId: 'Ada@Google.example', nameIdFormat: unspecified, attributes: {}, signs: 'assertion', prepare: xml => declared(prefixed(xml)) },
    settings: { sso_binding: 'post' },
    told: { subject: 'Ada@Google.example', email: 'ada@google.example' },
  },
  {
    name: 'Keycloak',
    answer: {
      nameId: 'G-8a1d0c5e-63c2-4b5e-9f35-0d7a1ba0fd4e',
      nameIdFormat: persistent,
      attributes: { 'urn:oid:1.2.840.113549.1.9.1': 'ada@keycloak.example', 'urn:oid:2.5.4.42': 'Ada', 'urn:oid:2.5.4.4': 'Lovelace', Role: 'one' },
      signs: 'response',
      // It tells each role as an attribute of its own.
      prepare: xml =>
        typed(xml).replace(
          /<saml:Attribute Name="Role">.*?<\/saml:Attribute>/,
          '$&<saml:Attribute Name="Role"><saml:AttributeValue>two</saml:AttributeValue></saml:Attribute>',
        ),
    },
    settings: { sso_binding: 'post' },
    told: { subject: 'G-8a1d0c5e-63c2-4b5e-9f35-0d7a1ba0fd4e', email: 'ada@keycloak.example', name: 'Ada Lovelace', groups: ['one', 'two'] },
  },
  {
    name: 'OneLogin',
    answer: {
      nameId: 'ada@onelogin.example',
      nameIdFormat: email,
      attributes: { 'User.email': 'ada@onelogin.example', 'User.FirstName': 'Ada', 'User.LastName': 'Lovelace', memberOf: ['admins'] },
      signs: 'both',
      prepare: typed,
    },
    told: { subject: 'ada@onelogin.example', email: 'ada@onelogin.example', name: 'Ada Lovelace', groups: ['admins'] },
  },
  {
    name: 'Shibboleth',
    answer: {
      nameId: '_b1c2d3e4f5',
      nameIdFormat: transient,
      attributes: {
        'urn:oasis:names:tc:SAML:attribute:subject-id': 'ada@shibboleth.example',
        'urn:oid:0.9.2342.19200300.100.1.3': ['ada@shibboleth.example', 'countess@shibboleth.example'],
        'urn:oid:2.16.840.1.113730.3.1.241': 'Ada Lovelace',
        'urn:oid:1.3.6.1.4.1.5923.1.5.1.1': 'urn:mace:example:engine',
        'urn:oid:1.3.6.1.4.1.5923.1.1.1.10': 'TARGETED',
      },
      signs: 'both',
      // eduPersonTargetedID is a name in a value.
      prepare: xml => declared(prefixed(xml.replace('TARGETED', `<saml:NameID Format="${persistent}">abc</saml:NameID>`))),
    },
    settings: { attributes: { subject: 'urn:oasis:names:tc:SAML:attribute:subject-id' } },
    told: { subject: 'ada@shibboleth.example', email: 'ada@shibboleth.example', name: 'Ada Lovelace', groups: ['urn:mace:example:engine'] },
  },
  {
    name: 'SimpleSAMLphp',
    answer: { nameId: '1f8d4c', nameIdFormat: persistent, attributes: { mail: 'ada@simple.example', cn: 'Ada Lovelace' }, signs: 'response' },
    told: { subject: '1f8d4c', email: 'ada@simple.example', name: 'Ada Lovelace' },
  },
  {
    name: 'PingFederate',
    answer: { nameId: 'alovelace', attributes: { mail: 'ada@ping.example' }, signs: 'assertion', prepare: indented },
    settings: { name_id_format: 'unspecified' },
    told: { subject: 'alovelace', email: 'ada@ping.example' },
  },
  {
    name: 'Auth0',
    answer: {
      nameId: 'auth0|5f7c8ec7c33c6c004bbafe82',
      nameIdFormat: unspecified,
      attributes: { [`${soap}emailaddress`]: 'ada@auth0.example', [`${soap}name`]: 'Ada Lovelace' },
      signs: 'assertion',
      prepare: typed,
    },
    told: { subject: 'auth0|5f7c8ec7c33c6c004bbafe82', email: 'ada@auth0.example', name: 'Ada Lovelace' },
  },
  {
    name: 'JumpCloud',
    answer: {
      nameId: 'ada@jumpcloud.example',
      nameIdFormat: email,
      attributes: { email: 'ada@jumpcloud.example', firstname: 'Ada', memberOf: 'Engine & Cœur <1>' },
      signs: 'assertion',
      prepare: declared,
    },
    told: { subject: 'ada@jumpcloud.example', email: 'ada@jumpcloud.example', groups: ['Engine & Cœur <1>'] },
  },
  {
    name: 'a provider that tells nothing but a name',
    answer: { nameId: 'ユーザー一号', attributes: {}, signs: 'both' },
    told: { subject: 'ユーザー一号' },
  },
]
