// What a signature has to look like before anybody computes it: one reference, to its parent, by algorithms that are allowed.
import { demand } from './saml-refusal.ts'
import { attributeOf, childrenOf, textOf, type XmlElement } from './saml-xml.ts'

/** XML Signature. */
export const ds = 'http://www.w3.org/2000/09/xmldsig#'

const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const enveloped = `${ds}enveloped-signature`
// There are no comments in what is signed, so that both say the same.
const canonicalizations = [exclusive, `${exclusive}WithComments`]
// SHA-1 is broken, and HMAC would take the public certificate for a secret.
const methods: Readonly<Record<string, Pick<Signature, 'hash' | 'isPss'>>> = {
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256': { hash: 'sha256', isPss: false },
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512': { hash: 'sha512', isPss: false },
  'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1': { hash: 'sha256', isPss: true },
}
const digests: Readonly<Record<string, Hash>> = {
  'http://www.w3.org/2001/04/xmlenc#sha256': 'sha256',
  'http://www.w3.org/2001/04/xmlenc#sha512': 'sha512',
}
// SHA-512, and RSA of 8192 bits.
const maxDigestBytes = 64
const maxSignatureBytes = 1024
const maxPrefixList = 1024

type Hash = 'sha256' | 'sha512'

/** A signature that covers the element that it stands in, whole. Nothing of it is proven yet. */
export interface Signature {
  readonly element: XmlElement
  /** What it stands in. */
  readonly parent: XmlElement
  readonly signedInfo: XmlElement
  /** The prefixes that canonicalization keeps: of `SignedInfo`, and of what is signed. */
  readonly inclusive: { readonly signedInfo: readonly string[]; readonly parent: readonly string[] }
  readonly hash: Hash
  readonly isPss: boolean
  readonly digestHash: Hash
  readonly digest: Buffer
  readonly value: Buffer
}

/** Reads one. Throws a refusal. */
export const readSignature = (element: XmlElement): Signature => {
  const parts = element.children.map(({ name, namespace }) => (namespace === ds ? name : '')).join(' ')
  demand(/^SignedInfo SignatureValue( KeyInfo)?$/.test(parts), 'signature_shape')
  const signedInfo = only(element, 'SignedInfo')
  demand(childrenOf(signedInfo, ds, 'Reference').length === 1, 'references')
  demand(signedInfo.children.length === 3, 'signature_shape')
  const canonicalization = only(signedInfo, 'CanonicalizationMethod')
  demand(canonicalizations.includes(algorithmOf(canonicalization)), 'algorithm')
  const method = methods[algorithmOf(only(signedInfo, 'SignatureMethod'))]
  demand(method, 'algorithm')
  const reference = only(signedInfo, 'Reference')
  const { parent } = element
  const id = parent && attributeOf(parent, 'ID')
  demand(id && attributeOf(reference, 'URI') === `#${id}`, 'reference')
  const inclusive = { signedInfo: prefixesOf(canonicalization), parent: readTransforms(reference) }
  const digestHash = digests[algorithmOf(only(reference, 'DigestMethod'))]
  demand(digestHash, 'algorithm')
  const digest = readBytes(only(reference, 'DigestValue'), maxDigestBytes)
  const value = readBytes(only(element, 'SignatureValue'), maxSignatureBytes)
  return { element, parent, signedInfo, inclusive, ...method, digestHash, digest, value }
}

// White space may stand anywhere in base64: it is taken off before anything is matched.
const readBytes = (element: XmlElement, maxBytes: number): Buffer => {
  const base64 = textOf(element).replace(/[ \t\r\n]/g, '')
  demand(base64 !== '' && base64.length <= Math.ceil(maxBytes / 3) * 4 && /^[A-Za-z0-9+/]+={0,2}$/.test(base64), 'signature_shape')
  return Buffer.from(base64, 'base64')
}

const only = (element: XmlElement, name: string): XmlElement => {
  const [found, ...more] = childrenOf(element, ds, name)
  demand(found && more.length === 0, 'signature_shape')
  return found
}

const algorithmOf = (element: XmlElement): string => {
  // A parameter is where an algorithm is turned into another, such as HMACOutputLength.
  demand(element.children.every(isPrefixList), 'algorithm')
  return attributeOf(element, 'Algorithm') ?? ''
}

// Gives the prefixes that canonicalization keeps.
const readTransforms = (reference: XmlElement): readonly string[] => {
  const transforms = only(reference, 'Transforms').children
  demand(transforms.length === 2 && transforms.every(({ name, namespace }) => name === 'Transform' && namespace === ds), 'transforms')
  const [first, second] = transforms
  demand(first && attributeOf(first, 'Algorithm') === enveloped && first.children.length === 0, 'transforms')
  demand(second && canonicalizations.includes(attributeOf(second, 'Algorithm') ?? '') && second.children.every(isPrefixList), 'transforms')
  return prefixesOf(second)
}

const isPrefixList = ({ name, namespace, children }: XmlElement): boolean => name === 'InclusiveNamespaces' && namespace === exclusive && children.length === 0

const prefixesOf = (element: XmlElement): readonly string[] => {
  const [list, ...more] = childrenOf(element, exclusive, 'InclusiveNamespaces')
  demand(more.length === 0, 'transforms')
  const written = (list && attributeOf(list, 'PrefixList')) ?? ''
  demand(written.length <= maxPrefixList, 'transforms')
  const prefixes = written.split(/[ \t\r\n]+/).filter(prefix => prefix !== '')
  return prefixes.map(prefix => (prefix === '#default' ? '' : prefix))
}
