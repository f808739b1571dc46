// Exclusive XML Canonicalization 1.0 of elements that hold neither comments nor instructions.
import type { XmlAttribute, XmlElement } from './saml-xml.ts'

/** How it is written. */
export interface Canonical {
  /** Prefixes that are written where they hold, though no name uses them (§2.1: `InclusiveNamespaces`); empty for names without one. */
  readonly inclusive: readonly string[]
  /** The child that is left out: the signature that stands in what it signs. */
  readonly without?: XmlElement
}

type Rendered = ReadonlyMap<string, string>

/** Writes an element and all below it. */
export const canonicalize = (element: XmlElement, { inclusive, without }: Canonical): string =>
  write(element, new Map([['', '']]), { kept: new Set(inclusive), without })

const write = (element: XmlElement, outer: Rendered, how: { readonly kept: ReadonlySet<string>; readonly without: XmlElement | undefined }): string => {
  const declared = declarationsOf(element, outer, how.kept)
  const rendered = declared.length === 0 ? outer : new Map([...outer, ...declared])
  const written = [
    ...declared.map(([prefix, namespace]) => ` ${prefix === '' ? 'xmlns' : `xmlns:${prefix}`}="${escapeValue(namespace)}"`),
    ...element.attributes.toSorted(byName).map(attribute => ` ${nameOf(attribute)}="${escapeValue(attribute.value)}"`),
  ]
  const content = element.content.filter(one => one !== how.without).map(one => (typeof one === 'string' ? escapeText(one) : write(one, rendered, how)))
  return `<${nameOf(element)}${written.join('')}>${content.join('')}</${nameOf(element)}>`
}

// What the names here use, and is not written around them already.
const declarationsOf = ({ prefix, scope, attributes }: XmlElement, outer: Rendered, kept: ReadonlySet<string>): readonly [string, string][] => {
  const used = new Set([prefix, ...attributes.map(attribute => attribute.prefix).filter(one => one !== '')])
  return [...scope].filter(([one, namespace]) => one !== 'xml' && (used.has(one) || kept.has(one)) && outer.get(one) !== namespace).toSorted(byPrefix)
}

const nameOf = ({ prefix, name }: { readonly prefix: string; readonly name: string }): string => (prefix === '' ? name : `${prefix}:${name}`)

const compare = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other))
const byPrefix = ([one]: [string, string], [other]: [string, string]): number => compare(one, other)
const byName = (one: XmlAttribute, other: XmlAttribute): number => compare(one.namespace, other.namespace) || compare(one.name, other.name)

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
}
const escapeText = (text: string): string => text.replace(/[&<>\r]/g, mark => escapes[mark] ?? mark)
const escapeValue = (text: string): string => text.replace(/[&<"\t\n\r]/g, mark => escapes[mark] ?? mark)
