// Which pinned certificate a signature is of, and the bytes that it signs: those are read, and none of the document that they came from.
import { constants, createHash, verify, X509Certificate } from 'node:crypto'
import { canonicalize } from './saml-canonical.ts'
import { demand } from './saml-refusal.ts'
import type { Signature } from './saml-signature.ts'
import { readXml, type XmlElement } from './saml-xml.ts'

/** What a signature proves. */
export interface Proof {
  /** The one certificate that verifies it. */
  readonly certificate: string
  /** What is signed, read from the canonical bytes that were. */
  readonly signed: XmlElement
}

/** Verifies it (XML Signature §3.2): the key first, as it costs the same whatever the document holds. Throws a refusal. */
export const verifySignature = (signature: Signature, certificates: readonly string[]): Proof => {
  const { signedInfo, inclusive, parent, element, digest, digestHash } = signature
  const information = canonicalize(signedInfo, { inclusive: inclusive.signedInfo })
  const certificate = certificates.find(one => isOf(one, signature, information))
  demand(certificate !== undefined, 'signature')
  const bytes = canonicalize(parent, { inclusive: inclusive.parent, without: element })
  demand(createHash(digestHash).update(bytes).digest().equals(digest), 'signature')
  return { certificate, signed: readXml(bytes) }
}

const isOf = (certificate: string, { hash, isPss, value }: Signature, information: string): boolean => {
  const key = new X509Certificate(certificate).publicKey
  const padding = isPss ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {}
  return verify(hash, Buffer.from(information), { key, ...padding }, value)
}
