// Signatures that prove nothing (S1), or something else than what is read (S2).
import { type Attack, swap } from './saml-attack.ts'
import { enveloped, exclusive, signResponse } from './saml-document.ts'

const signature = /<ds:Signature .*?<\/ds:Signature>/s
const dsig = 'http://www.w3.org/2000/09/xmldsig#'
const more = 'http://www.w3.org/2001/04/xmldsig-more#'
const method = (algorithm: string) => swap(/(?<=<ds:SignatureMethod Algorithm=")[^"]*/, algorithm)
const transforms = (inner: string) => swap(/(?<=<ds:Transforms>).*?(?=<\/ds:Transforms>)/s, inner)
const transform = (algorithm: string, inner = '') => `<ds:Transform Algorithm="${algorithm}">${inner}</ds:Transform>`
const corrupt = (value: string) => `${value.startsWith('A') ? 'B' : 'A'}${value.slice(1)}`

const keys: readonly Attack[] = [
  { name: 'S1 an assertion that is not signed', reason: 'unsigned', alter: swap(signature, '') },
  { name: 'S1 a response that is not signed', reason: 'unsigned', signs: 'response', alter: swap(signature, '') },
  { name: 'S1 neither is signed any more', reason: 'unsigned', signs: 'both', alter: xml => xml.replaceAll(new RegExp(signature, 'gs'), '') },
  {
    name: 'S1 the signature of the response was taken off where both are wanted',
    reason: 'unsigned',
    signs: 'both',
    settings: { signed: 'both' },
    alter: swap(signature, ''),
  },
  ...(['assertion', 'response', 'both'] as const).map(
    (signs): Attack => ({ name: `S1 ${signs} signed by the certificate in KeyInfo`, reason: 'signature', signs, by: 'attacker' }),
  ),
  { name: 'S1 signed by another key, without KeyInfo', reason: 'signature', by: 'attacker', signing: { hasNoKeyInfo: true } },
  {
    name: 'S1 only the assertion is signed by the provider, the response by another',
    reason: 'signature',
    signs: 'assertion',
    alter: (xml, { attacker }) => signResponse(xml, attacker, 'response'),
  },
  {
    name: 'S1 only the response is signed by the provider, the assertion by another',
    reason: 'signature',
    signs: 'response',
    prepare: (xml, { attacker }) => signResponse(xml, attacker, 'assertion'),
  },
  {
    name: 'S1 KeyInfo holds the certificate of the provider as well as the one that signed',
    reason: 'signature',
    by: 'attacker',
    alter: (xml, { provider }) =>
      xml.replace('<ds:X509Data>', mark => `${mark}<ds:X509Certificate>${provider.certificate.replace(/-----[A-Z ]+-----|\s/g, '')}</ds:X509Certificate>`),
  },
]

const algorithms: readonly Attack[] = [
  {
    name: 'S1 an HMAC with the public certificate for a secret',
    reason: 'algorithm',
    alter: (xml, { provider }) =>
      signResponse(xml.replace(signature, ''), provider, 'assertion', { signatureAlgorithm: `${dsig}hmac-sha1`, hmacSecret: provider.certificate }),
  },
  { name: 'S1 rsa-sha1', reason: 'algorithm', signing: { signatureAlgorithm: `${dsig}rsa-sha1` } },
  { name: 'S1 a digest of SHA-1', reason: 'algorithm', signing: { digestAlgorithm: `${dsig}sha1` } },
  { name: 'S1 a digest of MD5', reason: 'algorithm', alter: swap(/(?<=<ds:DigestMethod Algorithm=")[^"]*/, `${more}md5`) },
  ...['hmac-sha256', 'rsa-md5', 'ecdsa-sha256', 'none', 'rsa-sha256 '].map(
    (name): Attack => ({ name: `S1 the algorithm «${name}»`, reason: 'algorithm', alter: method(`${more}${name}`) }),
  ),
  { name: 'S1 no algorithm', reason: 'algorithm', alter: swap(/<ds:SignatureMethod Algorithm="[^"]*"/, '<ds:SignatureMethod') },
  {
    name: 'S1 an HMAC of no length as a parameter',
    reason: 'algorithm',
    alter: swap(
      /(<ds:SignatureMethod Algorithm="[^"]*")\/>/,
      `<ds:SignatureMethod Algorithm="${more}rsa-sha256"><ds:HMACOutputLength>0</ds:HMACOutputLength></ds:SignatureMethod>`,
    ),
  },
  {
    name: 'S1 a canonicalization that is not the exclusive one',
    reason: 'algorithm',
    alter: swap(/(?<=<ds:CanonicalizationMethod Algorithm=")[^"]*/, 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315'),
  },
  {
    name: 'S2 an XSLT for a transform',
    reason: 'transforms',
    alter: transforms(transform(enveloped) + transform('http://www.w3.org/TR/1999/REC-xslt-19991116')),
  },
  {
    name: 'S2 an XPath for a transform',
    reason: 'transforms',
    alter: transforms(transform('http://www.w3.org/TR/1999/REC-xpath-19991116') + transform(exclusive)),
  },
  { name: 'S2 an XPath in a transform', reason: 'transforms', alter: transforms(transform(enveloped, '<ds:XPath>true()</ds:XPath>') + transform(exclusive)) },
  { name: 'S2 no canonicalization', reason: 'transforms', signing: { transforms: [enveloped] } },
  { name: 'S2 no transforms', reason: 'transforms', alter: transforms('') },
  { name: 'S2 three transforms', reason: 'transforms', signing: { transforms: [enveloped, exclusive, exclusive] } },
  { name: 'S9 1,000 transforms', reason: 'transforms', alter: transforms(transform(exclusive).repeat(1000)) },
]

const tampered: readonly Attack[] = [
  ...(['assertion', 'response', 'both'] as const).map(
    (signs): Attack => ({
      name: `S1 the name was changed after ${signs} was signed`,
      reason: 'signature',
      signs,
      alter: swap(/(?<=<saml:NameID>)[^<]*/, 'admin'),
    }),
  ),
  { name: 'S1 an attribute was changed after signing', reason: 'signature', alter: swap('ada@example.com', 'admin@example.com') },
  {
    name: 'S1 the envelope was changed after it was signed',
    reason: 'signature',
    signs: 'response',
    alter: swap('<samlp:StatusCode ', '<samlp:StatusCode a="b" '),
  },
  { name: 'S1 another signature value', reason: 'signature', alter: xml => xml.replace(/(?<=<ds:SignatureValue>)[^<]*/, corrupt) },
  { name: 'S1 another digest', reason: 'signature', alter: xml => xml.replace(/(?<=<ds:DigestValue>)[^<]*/, corrupt) },
  { name: 'S1 an empty signature value', reason: 'signature_shape', alter: swap(/(?<=<ds:SignatureValue>)[^<]*/, '') },
  { name: 'S1 an empty digest', reason: 'signature_shape', alter: swap(/(?<=<ds:DigestValue>)[^<]*/, '') },
  {
    name: 'S2 the signature of another answer',
    reason: 'reference',
    alter: (xml, scene) => xml.replace(signature, scene.another({}).match(signature)?.[0] ?? ''),
  },
  { name: 'S2 a reference to the whole document', reason: 'reference', alter: swap(/(?<=<ds:Reference URI=")[^"]*/, '') },
  { name: 'S2 no reference to an address', reason: 'reference', alter: swap(/<ds:Reference URI="[^"]*"/, '<ds:Reference') },
  {
    name: 'S2 a reference to the response out of the assertion',
    reason: 'reference',
    alter: (xml, { said }) => xml.replace(`"#${said.assertionId}"`, `"#${said.responseId}"`),
  },
  {
    name: 'S2 a reference by XPointer',
    reason: 'reference',
    alter: (xml, { said }) => xml.replace(`"#${said.assertionId}"`, `"#xpointer(id('${said.assertionId}'))"`),
  },
  {
    name: 'S2 a reference with a quote for XPath',
    reason: 'reference',
    alter: (xml, { said }) => xml.replace(`"#${said.assertionId}"`, `"#${said.assertionId}' or '1'='1"`),
  },
]

/** All of them. */
export const signatureAttacks: readonly Attack[] = [...keys, ...algorithms, ...tampered]
