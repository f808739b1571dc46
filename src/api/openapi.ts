// The OpenAPI 3.1 document, made from the routes themselves: what validates is what is told.

import type { z } from 'zod'
import { managementPrefix } from '../platform/api-identifier.ts'
import { problemTypes } from '../platform/errors.ts'
import { listMeta } from '../platform/http/list.ts'
import type { Route } from '../platform/http/route.ts'
import { sessionCookieName } from '../platform/http/session-cookie.ts'
import { inputSchema, type Json, namesIn, outputSchema, propertiesOf } from './json-schema.ts'
import { permissions, permissionTable } from './permissions.ts'

/** One operation of the document. */
export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly [member: string]: unknown
}

/** The document. */
export interface OpenApi {
  readonly openapi: '3.1.0'
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly [member: string]: unknown
}

/** Makes it. */
export const openApi = ({ routes, issuer }: { routes: readonly Route[]; issuer: string }): OpenApi => {
  const isSecure = issuer.startsWith('https:')
  const paths: Record<string, Record<string, Operation>> = {}
  for (const one of routes) {
    const path = one.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [one.method.toLowerCase()]: operationOf(one) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Authy2 management API', version: '1.0', description: documentDescription },
    servers: [{ url: `${issuer}${managementPrefix}` }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A session token of /auth/login, an API key, or an access token for this API.' },
        session: { type: 'apiKey', in: 'cookie', name: sessionCookieName(isSecure), description: sessionDescription },
        csrf: {
          type: 'apiKey',
          in: 'header',
          name: 'X-CSRF-Token',
          description: 'Goes with the session cookie where something is changed; GET /auth/me tells it.',
        },
      },
      responses: {
        Refusal: {
          description: 'The error says what kind, and for a request that is not valid which fields.',
          content: json({ $ref: '#/components/schemas/Failure' }),
        },
      },
      schemas: { Failure: failureSchema, JsonValue: { description: 'Any JSON value.' } },
    },
    'x-permissions': Object.fromEntries(permissions.map(name => [name, permissionTable[name]])),
  }
}

const documentDescription =
  'Every answer stands in the same envelope: with what the operation gives, or as the schema Failure. ' +
  'Where a write lists If-Match, it is done only on the version whose ETag was read, else it is 412. A write that does not list it compares nothing, ' +
  'and is 412 with any If-Match but `*`, before anything is done. A read is 412 where its If-Match names another version. ' +
  'Not among the operations is GET /api/health: with a 503 it tells the states in `data` as with a 200.'

const sessionDescription = "The browser's session, for pages of our own origin alone (Sec-Fetch-Site: same-origin)."

const operationOf = (one: Route): Operation => ({
  operationId: operationId(one),
  summary: one.summary,
  ...(one.description === undefined ? {} : { description: one.description }),
  tags: [one.path.split('/')[1] ?? ''],
  ...(one.permission === undefined
    ? { security: [] }
    : { security: [{ bearer: [] }, one.method === 'GET' ? { session: [] } : { session: [], csrf: [] }], 'x-permission': one.permission }),
  ...(one.within === undefined ? {} : { 'x-within': one.within }),
  parameters: [...parametersOf(one.params, 'path'), ...parametersOf(one.query, 'query'), ...headersOf(one)],
  ...(takesBody(one) ? { requestBody: { required: true, content: bodyContent(one) } } : {}),
  responses: {
    [one.status]: { description: one.summary, content: one.isLines ? lines(outputSchema(one.output)) : json(successSchema(one)) },
    ...(one.method === 'GET' && !one.isLines ? { 304: { description: 'Unchanged since the answer whose ETag was sent.' } } : {}),
    ...refusals(one),
  },
})

// `GET /users/:id/sessions` → `get_users_id_sessions`: stable as long as the path is.
const operationId = ({ method, path }: Route) => [method.toLowerCase(), ...path.split(/[/:]+/).filter(Boolean)].join('_').replaceAll('-', '_')

const json = (schema: Json) => ({ 'application/json': { schema } })
const lines = (schema: Json) => ({ 'application/x-ndjson': { schema } })

// OpenAPI 3.1 has no word for a stream of rows: its schema is that of each line.
const bodyContent = ({ body, rows }: Route): Json => {
  const schema = inputSchema(body)
  if (!rows) return json(schema)
  const row = inputSchema(rows.row)
  const given = propertiesOf(schema)[rows.field]
  const list = { ...(typeof given === 'object' && given !== null ? given : {}), items: row }
  return {
    ...json({ ...schema, properties: { ...propertiesOf(schema), [rows.field]: list } }),
    'application/x-ndjson': { schema: { description: 'A JSON object a line.', ...row } },
  }
}

const takesBody = ({ method, body }: Route) => method !== 'GET' && namesIn(inputSchema(body)).length > 0

const parametersOf = (schema: z.ZodType, place: 'path' | 'query') => {
  const asked = inputSchema(schema)
  const required = new Set(Array.isArray(asked.required) ? asked.required : [])
  const told = { ...propertiesOf(asked), ...('limit' in propertiesOf(asked) ? { limit: limitSchema } : {}) }
  return Object.entries(told).map(([name, given]) => ({ name, in: place, required: place === 'path' || required.has(name), schema: given }))
}

// In an address it is text, which is what the schema takes.
const limitSchema = { type: 'integer', minimum: 1, maximum: 100, default: 20 }

const headersOf = (one: Route) => {
  if (one.isLines) return []
  const header = (name: string) => ({ name, in: 'header', required: false, schema: { type: 'string', maxLength: 255 } })
  if (one.method === 'GET') return [header('If-None-Match')]
  return [header('Idempotency-Key'), ...(one.comparesVersion ? [header('If-Match')] : [])]
}

const envelope = (members: Json) => ({
  type: 'object',
  additionalProperties: false,
  required: ['version', 'success', 'code', 'message', 'request_id', 'data', 'error', 'meta'],
  properties: { version: { const: '1.0' }, code: { type: 'integer' }, message: { type: 'string' }, request_id: { type: 'string' }, ...members },
})

const isList = ({ query }: Route) => 'limit' in propertiesOf(inputSchema(query))

const successSchema = (one: Route) =>
  envelope({ success: { const: true }, data: outputSchema(one.output), error: { type: 'null' }, meta: isList(one) ? outputSchema(listMeta) : {} })

const fieldFault = { type: 'object', required: ['path', 'message'], properties: { path: { type: 'string' }, message: { type: 'string' } } }

const failureSchema = envelope({
  success: { const: false },
  data: { type: 'null' },
  error: {
    type: 'object',
    required: ['type', 'details'],
    properties: {
      type: { enum: problemTypes },
      details: {
        type: 'object',
        properties: { fields: { type: 'array', items: fieldFault } },
      },
    },
  },
  meta: { type: 'null' },
})

// What is wrong with the request itself or with its credentials is told everywhere, whoever may call.
const refusals = (one: Route) => {
  const statuses = ['400', '401', '413', '415', '421', '429', '503', ...(mayForbid(one) ? ['403'] : []), ...(namesSomething(one) ? ['404'] : [])]
  const all = [...statuses, ...(one.method === 'GET' ? [] : ['409']), ...(one.isLines ? [] : ['412'])]
  return Object.fromEntries(all.map(status => [status, { $ref: '#/components/responses/Refusal' }]))
}

// A browser's session that writes without its token is forbidden even where anybody may write.
const mayForbid = ({ permission, method }: Route) => permission !== undefined || method !== 'GET'

// The caller themselves may be deleted while they ask.
const namesSomething = ({ permission, params, query, body, within }: Route) =>
  within !== undefined ||
  permission === 'signed_in' ||
  [params, query, body].some(schema => namesIn(inputSchema(schema)).some(name => /(^|_)id$|Id$/.test(name)))
