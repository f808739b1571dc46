// Takes the one document out of what the browser posted: one parse, and what was looked at is what is used (CVE-2026-117691).
import type { Answer } from './connector.ts'
import { demand, SamlRefusal } from './saml-refusal.ts'

const maxDocumentBytes = 256 * 1024
// Percent-encoding makes three characters of one, and a line break of base64 six.
const maxBodyBytes = 3 * maxDocumentBytes
const expected = ['SAMLResponse', 'RelayState']

/** Gives the document of a POST. Throws a refusal. */
export const readMessage = ({ method, query, body }: Answer, state: string): string => {
  // Profiles §4.1.2: a response never comes by the redirect binding.
  demand(method === 'POST', 'binding')
  demand(query === '', 'parameters')
  demand(body !== undefined && body.length <= maxBodyBytes, body === undefined ? 'parameters' : 'too_large')
  const fields = readFields(body)
  demand(fields.get('RelayState') === state, 'parameters')
  const message = fields.get('SAMLResponse')
  demand(message, 'parameters')
  return decodeDocument(message)
}

// The two names are taken as they are written; whatever could be read as one of them by somebody else is refused.
const readFields = (body: string): ReadonlyMap<string, string> => {
  const fields = new Map<string, string>()
  const pairs = body.split('&')
  demand(pairs.length <= 16, 'parameters')
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const name = equals === -1 ? pair : pair.slice(0, equals)
    if (expected.includes(name)) {
      demand(equals !== -1 && !fields.has(name), 'parameters')
      fields.set(name, decodeField(pair.slice(equals + 1)))
    } else {
      const meant = decodeField(name).trim().toLowerCase()
      demand(!expected.some(one => meant.startsWith(one.toLowerCase())), 'parameters')
    }
  }
  return fields
}

const decodeField = (written: string): string => {
  try {
    return decodeURIComponent(written.replaceAll('+', ' '))
  } catch (error) {
    throw new SamlRefusal('parameters', error)
  }
}

const decodeDocument = (message: string): string => {
  // Some providers break the lines (RFC 2045 §6.8); nothing else may stand between.
  const base64 = message.replace(/\r?\n/g, '')
  const bytes = Buffer.from(base64, 'base64')
  demand(bytes.length <= maxDocumentBytes, 'too_large')
  demand(base64 !== '' && bytes.toString('base64') === base64, 'base64')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new SamlRefusal('encoding', error)
  }
}
