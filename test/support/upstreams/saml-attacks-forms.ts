// Documents in which two could find different things (S2): several of what there is one of, or one where it does not belong.
import { type Attack, type Scene, swap } from './saml-attack.ts'
import { signResponse, writeResponse } from './saml-document.ts'

const signature = /<ds:Signature .*?<\/ds:Signature>/s
const dsig = 'http://www.w3.org/2000/09/xmldsig#'
// Signed by the provider, but once for itself: what the attacker has at hand from a sign-in of their own.
const own = ({ said, provider }: Scene) =>
  signResponse(writeResponse({ ...said, responseId: '_own1', assertionId: '_own2', nameId: 'mallory' }), provider, 'both')

/** All of them. */
export const formAttacks: readonly Attack[] = [
  { name: 'S2 two references', reason: 'references', alter: xml => xml.replace(/<ds:Reference .*?<\/ds:Reference>/s, '$&$&') },
  { name: 'S2 no reference', reason: 'references', alter: swap(/<ds:Reference .*?<\/ds:Reference>/s, '') },
  { name: 'S2 two SignedInfo', reason: 'signature_shape', alter: xml => xml.replace(/<ds:SignedInfo>.*?<\/ds:SignedInfo>/s, '$&$&') },
  { name: 'S2 more than it says in a SignedInfo', reason: 'signature_shape', alter: swap('<ds:SignedInfo>', '<ds:SignedInfo><ds:x/>') },
  { name: 'S2 no digest', reason: 'signature_shape', alter: swap(/<ds:DigestValue>[^<]*<\/ds:DigestValue>/, '') },
  { name: 'S2 two digests', reason: 'signature_shape', alter: xml => xml.replace(/<ds:DigestValue>[^<]*<\/ds:DigestValue>/, '$&$&') },
  { name: 'S2 two signature values', reason: 'signature_shape', alter: xml => xml.replace(/<ds:SignatureValue>.*?<\/ds:SignatureValue>/s, '$&$&') },
  {
    name: 'S2 a SignedInfo in an Object',
    reason: 'signature_shape',
    alter: xml => xml.replace(/(<ds:SignedInfo>.*?<\/ds:SignedInfo>)(.*?)(?=<\/ds:Signature>)/s, '$&<ds:Object>$1</ds:Object>'),
  },
  { name: 'S2 a comment in the digest (CVE-2025-29775)', reason: 'comment', alter: xml => xml.replace('<ds:DigestValue>', mark => `${mark}<!--x-->`) },
  { name: 'S2 markup in the digest', reason: 'markup', alter: xml => xml.replace('<ds:DigestValue>', mark => `${mark}<ds:a/>`) },
  { name: 'S2 two signatures in one element', reason: 'signature_place', alter: xml => xml.replace(signature, '$&$&') },
  {
    name: 'S2 a signature in Extensions',
    reason: 'signature_place',
    alter: xml =>
      xml
        .replace('<samlp:Status>', mark => `<samlp:Extensions>${xml.match(signature)?.[0]}</samlp:Extensions>${mark}`)
        .replace(/(<saml:Assertion .*?)<ds:Signature .*?<\/ds:Signature>/s, '$1'),
  },
  {
    name: 'S2 a signature in an Object of another',
    reason: 'signature_place',
    alter: xml => xml.replace(signature, all => all.replace(/<\/ds:Signature>$/, mark => `<ds:Object>${all}</ds:Object>${mark}`)),
  },
  {
    name: 'S2 a signature in the subject',
    reason: 'signature_place',
    alter: xml => xml.replace(signature, '').replace('<saml:Subject>', mark => `${mark}${xml.match(signature)?.[0]}`),
  },
  {
    name: 'S2 a signature at the end',
    reason: 'signature_place',
    alter: xml => xml.replace(signature, '').replace('</saml:Assertion>', mark => `${xml.match(signature)?.[0]}${mark}`),
  },
  { name: 'S2 a signature of another namespace', reason: 'signature_place', alter: xml => xml.replace(signature, all => all.replaceAll(dsig, 'urn:evil')) },
  {
    name: 'S2 two assertions, both signed by the provider',
    reason: 'assertions',
    alter: (xml, scene) => xml.replace('</samlp:Response>', mark => `${own(scene).match(/<saml:Assertion .*<\/saml:Assertion>/s)?.[0]}${mark}`),
  },
  { name: 'S2 no assertion', reason: 'assertions', alter: swap(/<saml:Assertion .*<\/saml:Assertion>/s, '') },
  {
    name: 'S2 an assertion in Advice',
    reason: 'assertions',
    prepare: xml => xml.replace('<saml:AuthnStatement', mark => `<saml:Advice><saml:Assertion ID="_advice" Version="2.0"/></saml:Advice>${mark}`),
  },
  { name: 'S2 an assertion of another namespace', reason: 'assertions', alter: swap('<samlp:Status>', '<Assertion ID="_other"/><samlp:Status>') },
  {
    name: 'S2 the assertion in Extensions',
    reason: 'assertions',
    alter: xml => xml.replace(/<saml:Assertion .*<\/saml:Assertion>/s, '<samlp:Extensions>$&</samlp:Extensions>'),
  },
  { name: 'S2 an assertion of SAML 1.1', reason: 'assertions', prepare: xml => xml.replace(/(<saml:Assertion ID="[^"]*" Version=)"2.0"/, '$1"1.1"') },
  { name: 'S2 a response in a response', reason: 'root', alter: swap('<samlp:Status>', '<samlp:Response ID="_inner"/><samlp:Status>') },
  { name: 'S2 no status', reason: 'status', signs: 'assertion', alter: swap(/<samlp:Status>.*<\/samlp:Status>/, '') },
  { name: 'S2 two statuses', reason: 'status', alter: xml => xml.replace(/<samlp:Status>.*<\/samlp:Status>/, '$&$&') },
  { name: 'S2 two codes of the status', reason: 'status', alter: xml => xml.replace(/<samlp:StatusCode [^>]*>/, '$&$&') },
  { name: 'S2 an assertion of somebody who was not signed in', reason: 'status', alter: swap('status:Success', 'status:Responder') },
  { name: 'S2 two roots', reason: 'root', alter: (xml, scene) => `${xml}${own(scene)}` },
  {
    name: 'S2 an assertion for a root',
    reason: 'root',
    alter: xml =>
      xml
        .match(/<saml:Assertion .*<\/saml:Assertion>/s)?.[0]
        .replace('<saml:Assertion', '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"') ?? xml,
  },
  { name: 'S2 a LogoutResponse for a root', reason: 'root', alter: xml => xml.replaceAll('samlp:Response', 'samlp:LogoutResponse') },
  { name: 'S2 a response of another namespace', reason: 'root', alter: swap('xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"', 'xmlns:samlp="urn:evil"') },
  { name: 'S2 a response of SAML 1.1', reason: 'root', alter: swap('Version="2.0"', 'Version="1.1"') },
  {
    name: 'S2 the ID of the assertion twice, as xml:id',
    reason: 'duplicate_id',
    alter: (xml, { said }) => xml.replace('<samlp:Status>', `<samlp:Status xml:id="${said.assertionId}">`),
  },
  {
    name: 'S2 the ID of the assertion twice, as Id',
    reason: 'duplicate_id',
    alter: (xml, { said }) => xml.replace('<samlp:Status>', `<samlp:Status Id="${said.assertionId}">`),
  },
  { name: 'S2 an assertion without an ID', reason: 'duplicate_id', alter: xml => xml.replace(/(<saml:Assertion) ID="[^"]*"/, '$1') },
  { name: 'S2 an ID twice in one tag', reason: 'malformed', alter: xml => xml.replace(/<saml:Assertion( ID="[^"]*")/, '<saml:Assertion$1 ID="_evil"') },
  { name: 'S2 an encrypted assertion besides', reason: 'encrypted', alter: swap('<saml:Assertion ', '<saml:EncryptedAssertion/><saml:Assertion ') },
]
