// The characters of XML 1.0, as they are and as references.
import { demand } from './saml-refusal.ts'

const maxReference = 16
const illegal = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u
const names: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** Whether XML 1.0 §2.2 lets all of it stand in a document. */
export const isLegal = (text: string): boolean => !illegal.test(text)

/** Decodes what stands in a text or a value. Throws a refusal for an entity that is not of XML itself: none is ever declared. */
export const decodeReferences = (text: string): string => {
  if (!text.includes('&')) return text
  const [before = '', ...pieces] = text.split('&')
  return before + pieces.map(decodeFirst).join('')
}

// What stands behind an ampersand, up to the next.
const decodeFirst = (piece: string): string => {
  const end = piece.indexOf(';')
  demand(end > 0 && end <= maxReference, 'entity')
  const name = piece.slice(0, end)
  return (Object.hasOwn(names, name) ? names[name] : decodeNumber(name)) + piece.slice(end + 1)
}

const decodeNumber = (name: string): string => {
  const number = /^#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}))$/.exec(name)
  demand(number, 'entity')
  const point = number[1] === undefined ? Number(number[2]) : Number.parseInt(number[1], 16)
  demand(point <= 0x10ffff, 'entity')
  const character = String.fromCodePoint(point)
  demand(isLegal(character), 'entity')
  return character
}
