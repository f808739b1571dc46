// Reads the XML that SAML needs and no more: no document type, entity, comment, CDATA or instruction, and bounds before anything is built.

import { type Expanded, outermost, resolve, type Scope, type Written } from './saml-namespaces.ts'
import { decodeReferences, isLegal } from './saml-references.ts'
import { demand } from './saml-refusal.ts'

/** An attribute. */
export interface XmlAttribute extends Expanded {
  readonly value: string
}

/** An element. */
export interface XmlElement extends Expanded {
  /** What the prefixes mean in it. */
  readonly scope: Scope
  readonly attributes: readonly XmlAttribute[]
  /** Texts and elements, in the order they stand in. */
  readonly content: readonly (string | XmlElement)[]
  readonly children: readonly XmlElement[]
  readonly parent?: XmlElement
  /** All text that stands in it directly, in one piece. */
  readonly text: string
}

interface Open extends XmlElement {
  readonly content: (string | XmlElement)[]
  readonly children: XmlElement[]
  text: string
}

const maxDepth = 64
// Enough for 1,000 groups.
const maxElements = 2000
const maxAttributes = 64
// Three for each of 1,000 groups: two declarations and a type.
const maxAttributesInAll = 4000
const declaration = /^<\?xml version=["']1\.0["']([ \t\n]+encoding=["']utf-8["'])?([ \t\n]+standalone=["'](yes|no)["'])?[ \t\n]*\?>/i

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

// Every character is looked at a few times at the most: the patterns are anchored, and none of them can be read in two ways.
const readTree = (text: string): XmlElement => {
  const open: { readonly element: Open; readonly written: string }[] = []
  let root: XmlElement | undefined
  let elements = 0
  let attributes = 0
  let at = 0
  while (at < text.length) {
    const next = text.indexOf('<', at)
    const inner = open.at(-1)
    const between = decodeReferences(text.slice(at, next === -1 ? text.length : next))
    if (inner) addText(inner.element, between)
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
    attributes += tag.attributes.length
    demand(elements <= maxElements && attributes <= maxAttributesInAll, 'too_many_elements')
    demand(open.length < maxDepth, 'too_deep')
    demand(inner !== undefined || root === undefined, 'root')
    const parent = inner?.element
    const resolved = resolve(tag, parent?.scope ?? outermost)
    const element: Open = { ...resolved, content: [], children: [], ...(parent ? { parent } : {}), text: '' }
    if (parent) addChild(parent, element)
    else root = element
    if (!tag.isEmpty) open.push({ element, written: tag.name })
  }
  demand(root !== undefined && open.length === 0, 'malformed')
  return root
}

const addText = (element: Open, text: string): void => {
  if (text === '') return
  element.content.push(text)
  element.text += text
}

const addChild = (parent: Open, child: XmlElement): void => {
  parent.content.push(child)
  parent.children.push(child)
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
