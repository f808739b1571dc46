// Forms that two read differently (S7): refused before anybody parses them.
import { type Attack, post } from './saml-attack.ts'

const body = (text: string) => ({ method: 'POST' as const, query: '', body: text })
const value = encodeURIComponent

/** All of them. */
export const transportAttacks: readonly Attack[] = [
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
