// Text that is read differently by two (S3, S5): the provider signed it as it stands, so that no signature helps.
import { type Attack, swap } from './saml-attack.ts'

const name = /(?<=<saml:NameID>)[^<]*/
const value = /(?<=<saml:AttributeValue>)[^<]*/
const named = (text: string) => swap(name, text)
const valued = (text: string) => swap(value, text)
const formatted = (format: string) => swap('<saml:NameID>', `<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:${format}">`)
const nameId = /<saml:NameID>[^<]*<\/saml:NameID>/

/** What is text to one and markup to another, and a part to one and the whole to another. */
export const contentAttacks: readonly Attack[] = [
  { name: 'S3 markup in the name', reason: 'markup', prepare: named('<b>admin</b>') },
  { name: 'S3 markup behind the name', reason: 'markup', prepare: named('admin<saml:x/>') },
  { name: 'S3 markup in an attribute', reason: 'markup', prepare: valued('admin@example.com<saml:x/>.evil.example') },
  { name: 'S3 a name and more in an attribute', reason: 'markup', prepare: valued('admin@example.com<saml:NameID>x</saml:NameID>') },
  { name: 'S3 markup in the audience', reason: 'markup', prepare: swap('<saml:Audience>', '<saml:Audience><saml:x/>') },
  { name: 'S3 markup in the issuer', reason: 'markup', prepare: swap('<saml:Issuer>', '<saml:Issuer><saml:x/>') },
  { name: 'S3 CDATA in the name', reason: 'cdata', alter: named('<![CDATA[admin]]>') },
  { name: 'S3 CDATA in an attribute', reason: 'cdata', alter: valued('admin<![CDATA[@example.com]]>') },
  { name: 'S3 an entity that nobody declared', reason: 'entity', alter: named('&admin;') },
  { name: 'S3 an entity of HTML', reason: 'entity', alter: valued('admin&nbsp;x') },
  { name: 'S3 an ampersand of its own', reason: 'entity', alter: valued('a & b') },
  { name: 'S3 a reference to a character of no text', reason: 'entity', alter: named('admin&#0;') },
  { name: 'S3 a reference beyond Unicode', reason: 'entity', alter: named('admin&#x110000;') },
  { name: 'S3 a reference to half a character', reason: 'entity', alter: named('admin&#xD800;') },
  { name: 'S3 a control character', reason: 'malformed', alter: named('admin\u0001') },
  { name: 'S3 a prefix that nothing declares', reason: 'namespace', alter: named('<evil:b/>') },
  { name: 'S3 an attribute of a prefix that nothing declares', reason: 'namespace', alter: swap('<saml:NameID>', '<saml:NameID evil:a="b">') },
  { name: 'S3 a prefix of XML bound anew', reason: 'namespace', alter: swap('<saml:NameID>', '<saml:NameID xmlns:xml="urn:evil">') },
  { name: 'S3 an attribute without quotes', reason: 'malformed', alter: swap('<saml:NameID>', '<saml:NameID a=b>') },
  { name: 'S3 a tag in an attribute', reason: 'malformed', alter: swap('<saml:NameID>', '<saml:NameID a="<b>">') },
  { name: 'S3 an attribute of no name', reason: 'attributes', prepare: swap('<saml:Attribute Name="mail">', '<saml:Attribute>') },
  { name: 'S3 an attribute of an empty name', reason: 'attributes', prepare: swap('Name="mail"', 'Name=""') },
  { name: 'S3 an attribute that is called __proto__', reason: 'attributes', prepare: swap('Name="mail"', 'Name="__proto__"') },
  {
    name: 'S3 more attributes than anybody has',
    reason: 'attributes',
    prepare: swap(/<saml:Attribute Name="mail">.*?<\/saml:Attribute>/, '<saml:Attribute Name="a"/>'.repeat(201)),
  },
  {
    name: 'S3 more values than anybody has',
    reason: 'attributes',
    prepare: swap('<saml:AttributeValue>', `${'<saml:AttributeValue/>'.repeat(1000)}<saml:AttributeValue>`),
  },
  { name: 'S5 a comment in the name', reason: 'comment', prepare: named('admin@example.com<!-- -->.evil.example') },
  { name: 'S5 an empty comment in the name', reason: 'comment', prepare: named('admin<!---->x') },
  { name: 'S5 a comment in an attribute', reason: 'comment', prepare: valued('admin@example.com<!-- -->.evil.example') },
  { name: 'S5 a comment in the issuer', reason: 'comment', prepare: swap('</saml:Issuer>', '<!-- --></saml:Issuer>') },
  { name: 'S5 a comment between elements', reason: 'comment', alter: swap('<saml:Subject>', '<!-- --><saml:Subject>') },
  { name: 'S5 an instruction in the name', reason: 'processing_instruction', alter: named('admin<?x?>.evil') },
  { name: 'S5 an instruction before the root', reason: 'processing_instruction', alter: xml => `<?xml-stylesheet href="x"?>${xml}` },
  { name: 'S5 a second declaration', reason: 'processing_instruction', alter: xml => `<?xml version="1.0"?><?xml version="1.0"?>${xml}` },
  { name: 'S5 white space before the name', reason: 'name_id', prepare: named(' admin') },
  { name: 'S5 a line break behind the name', reason: 'name_id', prepare: named('admin\n') },
  { name: 'S5 a line break in the name', reason: 'name_id', prepare: named('ad\nmin') },
  { name: 'S5 an ideographic space behind the name', reason: 'name_id', prepare: named('admin\u3000') },
  { name: 'S5 a character that nobody sees in the name', reason: 'name_id', prepare: named('ad\u200bmin') },
  { name: 'S5 a name that is read backwards', reason: 'name_id', prepare: named('\u202enimda') },
  { name: 'S5 an empty name', reason: 'name_id', prepare: named('') },
  { name: 'S5 a name of white space', reason: 'name_id', prepare: named('  ') },
  { name: 'S5 a name of 256 characters', reason: 'name_id', prepare: named('a'.repeat(256)) },
  { name: 'S5 a name of one sign-in alone', reason: 'name_id', prepare: formatted('transient') },
  { name: 'S5 the name of a machine', reason: 'name_id', prepare: formatted('entity') },
  { name: 'S5 a name of another format than was asked for', reason: 'name_id', settings: { name_id_format: 'unspecified' }, prepare: formatted('encrypted') },
  { name: 'S5 an encrypted name', reason: 'encrypted', prepare: swap(nameId, '<saml:EncryptedID/>') },
  { name: 'S5 an encrypted attribute', reason: 'encrypted', prepare: swap('<saml:AttributeStatement>', '<saml:AttributeStatement><saml:EncryptedAttribute/>') },
  { name: 'S5 no name', reason: 'subject', prepare: swap(nameId, '') },
  { name: 'S5 two names', reason: 'subject', prepare: xml => xml.replace(nameId, '<saml:NameID>admin</saml:NameID>$&') },
  { name: 'S5 no subject', reason: 'subject', prepare: swap(/<saml:Subject>.*<\/saml:Subject>/, '') },
  { name: 'S5 two subjects', reason: 'subject', prepare: xml => xml.replace(/<saml:Subject>.*<\/saml:Subject>/, '$&$&') },
]
