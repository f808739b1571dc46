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
const methods = [
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
  'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
]
const digests = ['http://www.w3.org/2001/04/xmlenc#sha256', 'http://www.w3.org/2001/04/xmlenc#sha512']
// SHA-512, and RSA of 8192 bits.
const maxDigestBytes = 64
const maxSignatureBytes = 1024

/** Throws a refusal unless the signature covers the element that it stands in, whole. */
export const verifySignatureShape = (signature: XmlElement): void => {
  const parts = signature.children.map(({ name, namespace }) => (namespace === ds ? name : '')).join(' ')
  demand(/^SignedInfo SignatureValue( KeyInfo)?$/.test(parts), 'signature_shape')
  const info = only(signature, 'SignedInfo')
  demand(childrenOf(info, ds, 'Reference').length === 1, 'references')
  demand(info.children.length === 3, 'signature_shape')
  verifyAlgorithm(only(info, 'CanonicalizationMethod'), canonicalizations)
  verifyAlgorithm(only(info, 'SignatureMethod'), methods)
  const reference = only(info, 'Reference')
  const id = signature.parent && attributeOf(signature.parent, 'ID')
  demand(id && attributeOf(reference, 'URI') === `#${id}`, 'reference')
  verifyTransforms(reference)
  verifyAlgorithm(only(reference, 'DigestMethod'), digests)
  readBytes(only(reference, 'DigestValue'), maxDigestBytes)
  readBytes(only(signature, 'SignatureValue'), maxSignatureBytes)
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

const verifyAlgorithm = (element: XmlElement, allowed: readonly string[]): void => {
  demand(allowed.includes(attributeOf(element, 'Algorithm') ?? ''), 'algorithm')
  // A parameter is where an algorithm is turned into another, such as HMACOutputLength.
  demand(
    element.children.every(({ name, namespace }) => name === 'InclusiveNamespaces' && namespace === exclusive),
    'algorithm',
  )
}

const verifyTransforms = (reference: XmlElement): void => {
  const transforms = only(reference, 'Transforms').children
  demand(transforms.length === 2 && transforms.every(({ name, namespace }) => name === 'Transform' && namespace === ds), 'transforms')
  const [first, second] = transforms.map(transform => attributeOf(transform, 'Algorithm') ?? '')
  demand(first === enveloped && canonicalizations.includes(second ?? ''), 'transforms')
  const isPlain = ({ name, namespace, children }: XmlElement) => name === 'InclusiveNamespaces' && namespace === exclusive && children.length === 0
  demand(transforms[0]?.children.length === 0 && transforms[1]?.children.every(isPlain), 'transforms')
}
