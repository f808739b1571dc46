// Values that a schema of the document takes, or nearly: what a well-meaning caller would send.
import fc from 'fast-check'
import type { Schema } from './document.ts'

/** The password of all people that the fuzzer makes. */
export const knownPassword = 'a long enough password'

/** Stands for something that is known only when the request is sent, such as the id of a living user. */
export const living = (kind: string, at: number) => `@@${kind}:${at}@@`

/** What {@link living} wrote. */
export const livingPattern = /@@([\w/-]+):(\d+)@@/g

type Values = fc.Arbitrary<unknown>

const index = fc.nat(1000)
const address = fc.oneof(
  fc.uuid().map(id => `${id}@people.example`),
  index.map(at => living('email', at)),
  index.map(at => living('fuzzer', at)),
)
// Hashing is slow: most passwords are refused before it.
const password = fc.oneof(
  { weight: 2, arbitrary: fc.constant('short') },
  { weight: 2, arbitrary: fc.constant(knownPassword) },
  { weight: 1, arbitrary: fc.constant(`${knownPassword} again`) },
)
const uri = fc.constantFrom('https://app.example.com/callback', 'https://app.example.com/other?x=1', 'http://localhost:4000/callback')
const time = fc.integer({ min: -3, max: 400 }).map(days => new Date(Date.UTC(2026, 10, 1) + (days + 400) * 86_400_000).toISOString())
const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).map(one => one.trim() || 'Ж')

// By the name of the member, where the schema says only that it is text.
const byName: readonly [RegExp, Values][] = [
  [/password/, password],
  [/email/, address],
  [/ur[il]s?$|picture/, uri],
  [/^connector$/, fc.constant('oidc')],
  [/^domain$/, fc.uuid().map(id => `${id}.example`)],
  [/^identifier$/, fc.uuid().map(id => `https://${id}.example/`)],
  [/^slug$/, fc.uuid().map(id => `s-${id}`)],
  [/^locale$/, fc.constantFrom('en', 'de-CH', 'zh-Hant')],
  [/^q$|^name$|_name$/, words],
  [/^action$/, fc.constantFrom('user.created', 'sign_in.refused', 'x')],
  [/^(actor|target)$/, index.map(at => living('users', at))],
  [/^after$/, index.map(at => living('cursor', at))],
]

// What another schema rules, of which the document says nothing: of the connector above. Nobody listens at that port.
const wholes: Readonly<Record<string, unknown>> = {
  settings: { issuer: 'http://localhost:9', client_id: 'authy2' },
  secrets: { client_secret: 'made up for a provider' },
  schema: { type: 'object', properties: { amount: { type: 'number' } } },
  authorization_details_types: [],
}

// The public key of RFC 7517, appendix A.1.
const publicKey = {
  kty: 'EC',
  crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
  use: 'sig',
  kid: '1',
}

// What the document leaves out where another member asks for it: a connector for what it reads, a client that signs people in for its addresses.
const neededByConnector = ['settings', 'secrets']

/** Makes them; `name` is what the value is called where it stands, `schemas` the named ones of the document. */
export const soundValue = (schema: Schema, context: { name: string; schemas: Readonly<Record<string, Schema>> }): Values => {
  const { name, schemas } = context
  if (typeof schema.$ref === 'string')
    return schema.$ref.endsWith('/JsonValue') ? fc.jsonValue({ maxDepth: 2 }) : soundValue(named(schema.$ref, schemas), context)
  if (name === 'jwks') return fc.constant({ keys: [publicKey] })
  if (name in wholes && schema.properties === undefined) return fc.constant(wholes[name])
  if ('const' in schema) return fc.constant(schema.const)
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum)
  const choices = schema.anyOf ?? schema.oneOf
  if (Array.isArray(choices)) return fc.oneof(...choices.map(one => soundValue(one, context)))
  if (Array.isArray(schema.allOf)) return soundValue(Object.assign({}, ...schema.allOf), context)
  if (schema.type === 'string') return text(schema, name)
  if (schema.type === 'integer' || schema.type === 'number') return number(schema)
  // An organization that requires a factor would shut out all callers, who have none.
  if (schema.type === 'boolean') return name === 'mfa_required' ? fc.constant(false) : fc.boolean()
  if (schema.type === 'null') return fc.constant(null)
  if (schema.type === 'array') return list(schema, context)
  if (schema.type === 'object') return object(schema, context)
  return fc.jsonValue({ maxDepth: 2 })
}

const named = ($ref: string, schemas: Readonly<Record<string, Schema>>): Schema => schemas[$ref.split('/').at(-1) ?? ''] ?? {}

const text = ({ format, pattern, minLength, maxLength }: Schema, name: string): Values => {
  if (format === 'uuid') return index.map(at => living(`${kindOf(name)}`, at))
  if (format === 'date-time') return time
  if (format === 'uri') return fc.constantFrom('https://app.example.com/picture.png')
  if (format === 'email') return address
  const hinted = byName.find(([known]) => known.test(name))?.[1]
  if (hinted && !(name === 'name' && typeof pattern === 'string')) return hinted
  if (/(_id|Id)$/.test(name)) return index.map(at => living(kindOf(name), at))
  if (typeof pattern === 'string') return fc.stringMatching(new RegExp(pattern, 'u'))
  const longest = Math.min(Number(maxLength ?? 40), 40)
  return fc.string({ unit: 'grapheme', minLength: Math.min(Number(minLength ?? 0), longest), maxLength: longest })
}

// `organization_id` → `organizations`.
const kindOf = (name: string) => `${name.replace(/(_?id|s)$/i, '').replaceAll('_', '-')}s`

const number = ({ type, minimum, maximum }: Schema): Values => {
  const bounds = { min: Math.max(Number(minimum ?? -5), -1e9), max: Math.min(Number(maximum ?? 1000), 1e9) }
  return type === 'integer' ? fc.integer(bounds) : fc.double({ ...bounds, noNaN: true })
}

const list = ({ items, minItems, maxItems }: Schema, context: { name: string; schemas: Readonly<Record<string, Schema>> }): Values => {
  const shortest = Number(minItems ?? (context.name === 'redirect_uris' ? 1 : 0))
  return fc.array(soundValue((items ?? {}) as Schema, context), { minLength: shortest, maxLength: Math.max(shortest, Math.min(Number(maxItems ?? 3), 3)) })
}

const object = ({ properties = {}, required = [], additionalProperties }: Schema, { schemas }: { schemas: Readonly<Record<string, Schema>> }): Values => {
  const members = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, soundValue(schema, { name, schemas })]))
  const needed = [...required, ...(required.includes('connector') ? neededByConnector : []), ...('redirect_uris' in members ? ['redirect_uris'] : [])]
  const optional = Object.keys(members).filter(name => !needed.includes(name))
  if (Object.keys(members).length === 0 && typeof additionalProperties === 'object')
    return fc.dictionary(fc.string({ maxLength: 8 }), soundValue(additionalProperties as Schema, { name: '', schemas }), { maxKeys: 3 })
  return fc
    .tuple(fc.subarray(optional, { maxLength: Math.min(optional.length, 3) }), fc.record(members))
    .map(([kept, all]) => Object.fromEntries(Object.entries(all).filter(([name]) => needed.includes(name) || kept.includes(name))))
}
