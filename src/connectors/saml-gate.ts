// The gate before the engine: one response, one assertion, each ID once, and signatures only where they cover all that is read.
import { demand, SamlRefusal } from './saml-refusal.ts'
import { ds, readSignature, type Signature } from './saml-signature.ts'
import { allOf, attributeOf, childrenOf, readXml, type XmlElement } from './saml-xml.ts'

/** The namespaces of protocol and assertion. */
export const samlp = 'urn:oasis:names:tc:SAML:2.0:protocol'

/** The namespaces of protocol and assertion. */
export const saml = 'urn:oasis:names:tc:SAML:2.0:assertion'

/** What the settings want signed; `either` is whichever the provider signs, and all it signs has to be right. */
export type Signed = 'either' | 'assertion' | 'response' | 'both'

/** A document that can be given to the engine. Nothing of it is proven yet. */
export interface Gated {
  readonly response: XmlElement
  readonly assertion: XmlElement
  /** Of the response, of the assertion, or of both. */
  readonly responseSignature: Signature | undefined
  readonly assertionSignature: Signature | undefined
}

/** What a provider says where it signs nobody in. */
export class SamlStatusRefusal extends SamlRefusal {
  readonly codes: readonly string[]

  constructor(codes: readonly string[]) {
    super('status')
    this.codes = codes
  }
}

/** Reads the document and throws a refusal unless its form leaves nothing to choose. */
export const passGate = (xml: string, wanted: Signed): Gated => {
  const response = readXml(xml)
  demand(response.name === 'Response' && response.namespace === samlp && attributeOf(response, 'Version') === '2.0', 'root')
  const all = allOf(response)
  verifyIds(all)
  verifyStatus(response)
  // Local names, as the engine looks at no other: an element of another namespace is never mistaken for one of ours.
  const named = (name: string) => all.filter(element => element.name === name)
  demand(!all.some(({ name }) => name.startsWith('Encrypted')), 'encrypted')
  const [assertion, ...more] = named('Assertion')
  demand(assertion?.parent === response && assertion.namespace === saml && more.length === 0, 'assertions')
  demand(named('Response').length === 1, 'root')
  demand(attributeOf(assertion, 'Version') === '2.0', 'assertions')
  const placed = named('Signature')
  for (const signature of placed) verifyPlace(signature, [response, assertion])
  const signatures = placed.map(readSignature)
  const responseSignature = signatures.find(({ parent }) => parent === response)
  const assertionSignature = signatures.find(({ parent }) => parent === assertion)
  demand(responseSignature || assertionSignature, 'unsigned')
  demand(responseSignature || (wanted !== 'response' && wanted !== 'both'), 'unsigned')
  demand(assertionSignature || (wanted !== 'assertion' && wanted !== 'both'), 'unsigned')
  return { response, assertion, responseSignature, assertionSignature }
}

// Whatever anybody could take for an ID counts: ID, Id, id, xml:id, wsu:Id.
const verifyIds = (all: readonly XmlElement[]): void => {
  const ids = all.flatMap(({ attributes }) => attributes.filter(({ name }) => name.toLowerCase() === 'id').map(({ value }) => value))
  demand(new Set(ids).size === ids.length && ids.every(id => /^[A-Za-z_][\w.:-]{0,255}$/.test(id)), 'duplicate_id')
  const named = all.filter(({ name }) => name === 'Response' || name === 'Assertion')
  demand(
    named.every(element => attributeOf(element, 'ID') !== undefined),
    'duplicate_id',
  )
}

const verifyStatus = (response: XmlElement): void => {
  const [status, ...more] = childrenOf(response, samlp, 'Status')
  demand(status && more.length === 0, 'status')
  const codes: string[] = []
  let at: XmlElement | undefined = status
  while (at) {
    const inner: readonly XmlElement[] = childrenOf(at, samlp, 'StatusCode')
    demand(inner.length <= 1, 'status')
    at = inner[0]
    if (at) codes.push(attributeOf(at, 'Value') ?? '')
  }
  if (codes[0] !== 'urn:oasis:names:tc:SAML:2.0:status:Success') throw new SamlStatusRefusal(codes)
}

const verifyPlace = (signature: XmlElement, places: readonly XmlElement[]): void => {
  const { parent } = signature
  demand(parent && places.includes(parent) && signature.namespace === ds, 'signature_place')
  demand(parent.children.filter(({ name }) => name === 'Signature').length === 1, 'signature_place')
  // Both schemas place it after the issuer.
  demand(parent.children[1] === signature && parent.children[0]?.name === 'Issuer', 'signature_place')
}
