// Reads the XML that SAML needs and no more: no document type, entity, comment, CDATA or instruction, and bounds before anything is built.

import { decodeReferences, isLegal } from './saml-references.ts'
import { demand } from './saml-refusal.ts'

/** An attribute, its prefix resolved. */
export interface XmlAttribute {
  readonly name: string
  readonly namespace: string
  readonly value: string
}

/** An element, its prefix resolved. */
export interface XmlElement {
  /** Without its prefix. */
  readonly name: string
  readonly namespace: string
  readonly attributes: readonly XmlAttribute[]
  readonly children: readonly XmlElement[]
  readonly parent?: XmlElement
  /** All text that stands in it directly, in one piece. */
  readonly text: string
}

interface Open {
  name: string
  namespace: string
  attributes: readonly XmlAttribute[]
  children: XmlElement[]
  parent?: XmlElement
  text: string
}

interface Written {
  readonly name: string
  readonly value: string
}

type Scope = Readonly<Record<string, string>>

const maxDepth = 64
// The engine takes a tenth of a millisecond an element before it knows whether the signature is good.
const maxElements = 2000
const maxAttributes = 64
const declaration = /^<\?xml version=["']1\.0["']([ \t\n]+encoding=["']utf-8["'])?([ \t\n]+standalone=["'](yes|no)["'])?[ \t\n]*\?>/i
const xmlns = 'http://www.w3.org/2000/xmlns/'
const outermost: Scope = { xml: 'http://www.w3.org/XML/1998/namespace', '': '' }

/** Reads a document. Throws a refusal. With comments left out it is for metadata, where nobody signed anything. */
export const readXml = (document: string, { areCommentsLeftOut = false } = {}): XmlElement => {
  const text = areCommentsLeftOut ? withoutComments(document) : document
  verifyText(text)
  return readTree(text.replace(/\r\n?/g, '\n').replace(declaration, ''))
}

/** The children of this name. */
export const childrenOf = (element: XmlElement, namespace: string, name: string): readonly XmlElement[] =>
  element.children.filter(child => child.name === name && child.namespace === namespace)

/** The value of an attribute that has no prefix. */
export const attributeOf = (element: XmlElement, name: string): string | undefined =>
  element.attributes.find(attribute => attribute.name === name && attribute.namespace === '')?.value

/** The whole text of an element. Throws a refusal where there is markup in it: a part is never taken for the whole. */
export const textOf = (element: XmlElement): string => {
  demand(element.children.length === 0, 'markup')
  return element.text
}

/** The element and all below it. */
export const allOf = (element: XmlElement): readonly XmlElement[] => {
  const found = [element]
  for (const one of found) found.push(...one.children)
  return found
}

const verifyText = (text: string): void => {
  demand(!/<!(DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)/i.test(text), 'doctype')
  demand(!text.includes('<!--'), 'comment')
  demand(!text.includes('<![CDATA['), 'cdata')
  demand(!text.includes('<!'), 'malformed')
  demand(!text.includes('<?', declaration.test(text) ? 2 : 0), 'processing_instruction')
  demand(isLegal(text), 'malformed')
}

const withoutComments = (text: string): string => {
  const pieces: string[] = []
  let from = 0
  for (let start = text.indexOf('<!--'); start !== -1; start = text.indexOf('<!--', from)) {
    const end = text.indexOf('-->', start + 4)
    demand(end !== -1, 'malformed')
    pieces.push(text.slice(from, start))
    from = end + 3
  }
  return pieces.join('') + text.slice(from)
}

// Every character is looked at once: the patterns are anchored, and none of them can be read in two ways.
const readTree = (text: string): XmlElement => {
  const open: { readonly element: Open; readonly written: string; readonly scope: Scope }[] = []
  let root: XmlElement | undefined
  let elements = 0
  let at = 0
  while (at < text.length) {
    const next = text.indexOf('<', at)
    const inner = open.at(-1)
    const between = decodeReferences(text.slice(at, next === -1 ? text.length : next))
    if (inner) inner.element.text += between
    else demand(/^[ \t\n]*$/.test(between), 'malformed')
    if (next === -1) break
    const tag = readTag(text, next)
    at = tag.end
    if (tag.isClosing) {
      demand(inner !== undefined && inner.written === tag.name, 'malformed')
      open.pop()
      continue
    }
    elements += 1
    demand(elements <= maxElements, 'too_many_elements')
    demand(open.length < maxDepth, 'too_deep')
    demand(inner !== undefined || root === undefined, 'root')
    const { element, scope } = resolve(tag, inner?.scope ?? outermost, inner?.element)
    if (inner) inner.element.children.push(element)
    else root = element
    if (!tag.isEmpty) open.push({ element, written: tag.name, scope })
  }
  demand(root !== undefined && open.length === 0, 'malformed')
  return root
}

const readTag = (text: string, from: number) => {
  const start = /<(\/?)((?:[A-Za-z_][\w.-]{0,127}:)?[A-Za-z_][\w.-]{0,127})/y
  start.lastIndex = from
  const begun = start.exec(text)
  demand(begun, 'malformed')
  const attributes: Written[] = []
  const pattern = /[ \t\n]+((?:[A-Za-z_][\w.-]{0,127}:)?[A-Za-z_][\w.-]{0,127})[ \t\n]*=[ \t\n]*(?:"([^"<]*)"|'([^'<]*)')/y
  let end = start.lastIndex
  for (;;) {
    pattern.lastIndex = end
    const found = pattern.exec(text)
    if (!found) break
    end = pattern.lastIndex
    attributes.push({ name: found[1] ?? '', value: decodeReferences((found[2] ?? found[3] ?? '').replace(/[\t\n]/g, ' ')) })
    demand(attributes.length <= maxAttributes, 'too_many_elements')
  }
  const close = /[ \t\n]*(\/?)>/y
  close.lastIndex = end
  const closed = close.exec(text)
  const isClosing = begun[1] === '/'
  demand(closed && !(isClosing && (closed[1] || attributes.length > 0)), 'malformed')
  return { name: begun[2] ?? '', attributes, isClosing, isEmpty: closed[1] === '/', end: close.lastIndex }
}

const resolve = (tag: { readonly name: string; readonly attributes: readonly Written[] }, outer: Scope, parent: XmlElement | undefined) => {
  const isDeclaration = ({ name }: Written) => name === 'xmlns' || name.startsWith('xmlns:')
  const declared = tag.attributes.filter(isDeclaration).map(({ name, value }): [string, string] => {
    const prefix = name.slice('xmlns:'.length)
    demand(prefix !== 'xml' && prefix !== 'xmlns' && value !== xmlns && (value !== '' || prefix === ''), 'namespace')
    return [prefix, value]
  })
  const scope: Scope = declared.length === 0 ? outer : { ...outer, ...Object.fromEntries(declared) }
  const attributes = tag.attributes
    .filter(attribute => !isDeclaration(attribute))
    .map(({ name, value }) => ({ ...expand(name, name.includes(':') ? scope : outermost), value }))
  const distinct = new Set([...attributes.map(({ name, namespace }) => `${namespace} ${name}`), ...declared.map(([prefix]) => `${xmlns} ${prefix}`)])
  demand(distinct.size === tag.attributes.length, 'malformed')
  const element: Open = { ...expand(tag.name, scope), attributes, children: [], ...(parent ? { parent } : {}), text: '' }
  return { element, scope }
}

const expand = (written: string, scope: Scope) => {
  const [first = '', second] = written.split(':')
  const prefix = second === undefined ? '' : first
  demand(Object.hasOwn(scope, prefix), 'namespace')
  return { name: second ?? first, namespace: scope[prefix] ?? '' }
}
