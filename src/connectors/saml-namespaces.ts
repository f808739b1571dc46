// What the prefixes of a document mean where they stand (Namespaces in XML 1.0).
import { demand } from './saml-refusal.ts'

/** Prefixes, and the namespaces that they are bound to; the empty prefix is that of names without one. */
export type Scope = ReadonlyMap<string, string>

/** An attribute as it is written, its references decoded. */
export interface Written {
  readonly name: string
  readonly value: string
}

/** A name, its prefix resolved. */
export interface Expanded {
  readonly prefix: string
  /** Without its prefix. */
  readonly name: string
  readonly namespace: string
}

const xmlns = 'http://www.w3.org/2000/xmlns/'
// Providers use ten or so, and many declare two at each value: what costs time, with us and in the engine, is how many hold at once.
const maxInScope = 32

/** What holds around the root. */
export const outermost: Scope = new Map([
  ['xml', 'http://www.w3.org/XML/1998/namespace'],
  ['', ''],
])

/** Resolves what stands in a tag: the scope it opens, its name, and the attributes that declare nothing. Throws a refusal. */
export const resolve = (tag: { readonly name: string; readonly attributes: readonly Written[] }, outer: Scope) => {
  const declared = tag.attributes.filter(isDeclaration).map(readDeclaration)
  const scope: Scope = declared.length === 0 ? outer : new Map([...outer, ...declared])
  demand(scope.size <= maxInScope, 'too_many_elements')
  const attributes = tag.attributes
    .filter(attribute => !isDeclaration(attribute))
    .map(({ name, value }) => ({ ...expand(name, name.includes(':') ? scope : outermost), value }))
  const distinct = new Set([...attributes.map(({ name, namespace }) => `${namespace} ${name}`), ...declared.map(([prefix]) => `${xmlns} ${prefix}`)])
  demand(distinct.size === tag.attributes.length, 'malformed')
  return { ...expand(tag.name, scope), scope, attributes }
}

const isDeclaration = ({ name }: Written): boolean => name === 'xmlns' || name.startsWith('xmlns:')

const readDeclaration = ({ name, value }: Written): [string, string] => {
  const prefix = name.slice('xmlns:'.length)
  demand(prefix !== 'xml' && prefix !== 'xmlns' && value !== xmlns && (value !== '' || prefix === ''), 'namespace')
  return [prefix, value]
}

const expand = (written: string, scope: Scope): Expanded => {
  const [first = '', second] = written.split(':')
  const prefix = second === undefined ? '' : first
  const namespace = scope.get(prefix)
  demand(namespace !== undefined, 'namespace')
  return { prefix, name: second ?? first, namespace }
}
