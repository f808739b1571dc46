// Requests of an operation: sound ones, and such that one or two things are wrong with.
import fc from 'fast-check'
import type { Operation, Schema } from './document.ts'
import { extraName, oddHeaders, wrongAuthorization, wrongPair, wrongPart, wrongText, wrongType, wrongValue } from './hostile.ts'
import { living, soundValue } from './sound.ts'

/** Who asks. */
export const callerKinds = ['nobody', 'person', 'owner', 'admin', 'systemKey', 'organizationKey', 'garbage'] as const

/** One of {@link callerKinds}. */
export type CallerKind = (typeof callerKinds)[number]

/** A request as it was made up; texts may hold what is known only when it is sent. */
export interface Draft {
  readonly operation: Operation
  readonly method: string
  /** One a parameter of the path; `undefined` for a living one. */
  readonly parts: readonly (string | undefined)[]
  /** Picks among what is living. */
  readonly pick: number
  readonly query: readonly string[]
  readonly caller: CallerKind
  readonly authorization: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: { readonly type?: string; readonly text: string | Buffer }
}

type Schemas = Readonly<Record<string, Schema>>
type Change = (draft: Draft) => Draft

/** The kinds of body that can be made: the content type and whether each line is a value of its own. */
const json = 'application/json'
const lines = 'application/x-ndjson'

/** Makes them up. */
export const requestOf = (operation: Operation, schemas: Schemas): fc.Arbitrary<Draft> => {
  const sound = soundRequest(operation, schemas)
  const wrong = change(operation)
  return fc.oneof(
    { weight: 5, arbitrary: sound },
    { weight: 4, arbitrary: fc.tuple(sound, wrong).map(([draft, once]) => once(draft)) },
    { weight: 1, arbitrary: fc.tuple(sound, wrong, wrong).map(([draft, once, twice]) => twice(once(draft))) },
  )
}

const soundRequest = (operation: Operation, schemas: Schemas): fc.Arbitrary<Draft> =>
  fc
    .record({
      pick: fc.nat(100_000),
      query: query(operation, schemas),
      caller: caller(operation),
      authorization: wrongAuthorization,
      etag: fc.nat(3),
      body: body(operation, schemas),
    })
    .map(({ etag, ...made }) => ({
      ...made,
      operation,
      method: operation.method,
      parts: pathParameters(operation).map(() => undefined),
      headers: ifMatch(operation.parameters.some(({ name }) => name === 'If-Match') && etag === 0),
    }))

const ifMatch = (isAsked: boolean): Readonly<Record<string, string>> => (isAsked ? { 'if-match': living('etag', 0) } : {})

const pathParameters = ({ path }: Operation) => [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)

const caller = ({ permission, isOfOrganization }: Operation): fc.Arbitrary<CallerKind> => {
  const isOwn = permission === 'signed_in' || permission === undefined
  const usual: CallerKind = isOwn ? 'person' : isOfOrganization ? 'owner' : 'admin'
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant(usual) },
    { weight: 3, arbitrary: fc.constant<CallerKind>('admin') },
    { weight: 3, arbitrary: fc.constantFrom(...callerKinds) },
  )
}

const query = ({ parameters }: Operation, schemas: Schemas): fc.Arbitrary<readonly string[]> => {
  const told = parameters.filter(one => one.in === 'query')
  const names = told.map(({ name }) => name)
  const required = told.filter(one => one.required).map(({ name }) => name)
  const values = Object.fromEntries(told.map(({ name, schema }) => [name, soundValue(schema, { name, schemas })]))
  return fc
    .tuple(fc.subarray(names, { maxLength: Math.min(names.length, 2) }), fc.record(values))
    .map(([kept, all]) => names.filter(name => kept.includes(name) || required.includes(name)).map(name => `${name}=${encoded(all[name])}`))
}

const encoded = (value: unknown) => {
  const text = String(value).toWellFormed()
  // What stands for something living is found when the request is sent.
  return text.startsWith('@@') ? text : encodeURIComponent(text)
}

const body = ({ requestBody }: Operation, schemas: Schemas): fc.Arbitrary<Draft['body']> => {
  if (requestBody === undefined) return fc.constant(undefined)
  const kinds = Object.entries(requestBody.content).map(([type, { schema }]) => {
    const value = soundValue(schema, { name: '', schemas })
    if (type !== lines) return value.map(one => ({ type, text: JSON.stringify(one) }))
    return fc.array(value, { maxLength: 3 }).map(all => ({ type, text: all.map(one => `${JSON.stringify(one)}\n`).join('') }))
  })
  return fc.oneof(...kinds)
}

/** One thing made wrong. */
const change = (operation: Operation): fc.Arbitrary<Change> => {
  const about = {
    body: fc.oneof(
      fc.tuple(fc.nat(20), wrongValue).map(([at, value]) => member((names, all) => ({ ...all, [names[at % names.length] ?? 'x']: value }))),
      fc.nat(20).map(at => member((names, { [names[at % names.length] ?? 'x']: _gone, ...rest }) => rest)),
      fc.tuple(extraName, wrongValue).map(([name, value]) => member((_names, all) => Object.fromEntries([...Object.entries(all), [name, value]]))),
      wrongText.map(
        (text): Change =>
          draft => ({ ...draft, body: { type: json, ...draft.body, text } }),
      ),
      wrongType.map(
        (type): Change =>
          draft => ({ ...draft, body: { text: draft.body?.text ?? '{}', type } }),
      ),
    ),
    query: wrongPair.map(
      (pair): Change =>
        draft => ({ ...draft, query: [...draft.query, pair] }),
    ),
    path: fc.tuple(fc.nat(5), wrongPart).map(
      ([at, part]): Change =>
        draft => ({ ...draft, parts: draft.parts.map((one, index) => (index === at % draft.parts.length ? part : one)) }),
    ),
    headers: oddHeaders.map(
      (odd): Change =>
        draft => ({ ...draft, headers: { ...draft.headers, ...odd } }),
    ),
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS').map(
      (method): Change =>
        draft => ({ ...draft, method }),
    ),
  }
  return fc.oneof(
    { weight: operation.method === 'GET' ? 1 : operation.requestBody === undefined ? 2 : 8, arbitrary: about.body },
    { weight: operation.method === 'GET' ? 6 : 1, arbitrary: about.query },
    { weight: operation.path.includes('{') ? 3 : 0, arbitrary: about.path },
    { weight: 3, arbitrary: about.headers },
    { weight: 1, arbitrary: about.method },
  )
}

type Members = Record<string, unknown>

const member =
  (altered: (names: readonly string[], all: Members) => Members): Change =>
  draft => {
    const all = parsed(draft.body?.text)
    return { ...draft, body: { type: json, ...draft.body, text: JSON.stringify(altered(Object.keys(all), all)) } }
  }

const parsed = (text: string | Buffer | undefined): Members => {
  try {
    const value: unknown = JSON.parse(String(text ?? '{}'))
    return typeof value === 'object' && value !== null ? (value as Members) : {}
  } catch (error) {
    if (error instanceof SyntaxError) return {} // it was made wrong already
    throw error
  }
}
