// What every answer must keep: its declared status, its declared shape, the envelope, the headers, and no secret of ours.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { Reply } from '../calls.ts'
import { contentOf, type Document, type Operation, type Schema } from './document.ts'

/** A request that was answered. */
export interface Asked {
  readonly method: string
  /** The path below the prefix, as it was sent. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly reply: Reply
}

type Find = (path: string) => readonly Operation[]

/** What gives the inside away: keys, hashes, sealed values, stacks and statements. */
const leaks: readonly [string, RegExp][] = [
  ['a hash of a password', /\$argon2|\$2[aby]\$/],
  ['a private key', /BEGIN [A-Z ]*PRIVATE KEY/],
  ['a sealed value', /"v1\.[\w-]{38,}"/],
  ['a private JWK', /"kty"[^{}]*"(d|p|q|dp|dq|qi|k)"\s*:|"(d|p|q|dp|dq|qi|k)"\s*:[^{}]*"kty"/],
  ['a stack', /node_modules|\bat [^"]{0,80}\.ts:\d+|node:internal/],
  ['a statement', /\b(SELECT|INSERT INTO|UPDATE|DELETE FROM) [a-z_*]+/],
]

/** Makes the check: it gives the faults of an answer. */
export const createCheck = (document: Document, find: Find) => {
  const shapes = createShapes(document)
  return ({ method, path, headers, reply }: Asked): readonly string[] => {
    const at = find(path.replace(/\?.*/s, ''))
    const operation = at.find(one => one.method === (method === 'HEAD' ? 'GET' : method))
    const given = headers['x-request-id'] ?? ''
    return [
      ...(reply.status >= 500 && !isBusy(path, reply) ? ['failed'] : []),
      ...(operation ? shapes({ document, operation, method, reply }) : strangerFaults(reply)),
      ...headerFaults(reply),
      ...(/^[\w.-]{8,128}$/.test(given) && reply.headers['x-request-id'] !== given ? ['the request id is not the one that was given'] : []),
      ...leaks.filter(([, pattern]) => pattern.test(reply.body)).map(([what]) => `tells ${what}`),
    ]
  }
}

// Exports and verifications are few at a time; whoever comes in between is told when to come again.
const isBusy = (path: string, { status, headers }: Reply) =>
  status === 503 && /\/audit-logs\/(export|verify)\b/.test(path) && Number(headers['retry-after']) > 0

// Nobody serves this address, or not with this method; what is wrong before that is told first.
const strangerFaults = ({ status }: Reply) => ([400, 404, 405, 413, 415].includes(status) ? [] : [`${status} where nothing is declared`])

const headerFaults = ({ status, headers, json, body }: Reply): readonly string[] => {
  const faults: string[] = []
  const must = (holds: boolean, fault: string) => {
    if (!holds) faults.push(fault)
  }
  must(String(headers['x-request-id'] ?? '') !== '', 'no X-Request-Id')
  if (body !== '' && !String(headers['content-type']).startsWith('application/x-ndjson')) {
    must(json.request_id === headers['x-request-id'], 'request_id is not X-Request-Id')
    must(json.code === status, 'code is not the status')
  }
  if (status === 401) must(/^Bearer realm=/.test(String(headers['www-authenticate'])), 'no WWW-Authenticate')
  if (status === 405) must(/^[A-Z]+(, [A-Z]+)*$/.test(String(headers.allow)), 'no Allow')
  if (status === 429) must(Number(headers['retry-after']) > 0, 'no Retry-After')
  return faults
}

const createShapes = (document: Document) => {
  // Formats are checked, unknown keys are as strict as the schema says; `x-…` and `components` are no keywords of it.
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  const known = new Map<Schema, ValidateFunction>()
  const validator = (schema: Schema) => {
    const found = known.get(schema) ?? ajv.compile({ ...schema, components: document.components })
    known.set(schema, found)
    return found
  }
  return ({ operation, method, reply }: { document: Document; operation: Operation; method: string; reply: Reply }): readonly string[] => {
    const content = contentOf(document, operation, reply.status)
    if (content === undefined) return [`${reply.status} is not declared`]
    if (method === 'HEAD' || Object.keys(content).length === 0) return reply.body === '' ? [] : ['a body where none is declared']
    const type = String(reply.headers['content-type']).replace(/;.*/, '')
    const schema = content[type]?.schema
    if (schema === undefined) return [`${type} is not declared`]
    const texts = type === 'application/x-ndjson' ? reply.body.split('\n').filter(line => line !== '') : [reply.body]
    return texts.flatMap(text => {
      const validate = validator(schema)
      return validate(JSON.parse(text)) ? [] : [`not of the declared shape: ${ajv.errorsText(validate.errors)}`]
    })
  }
}
