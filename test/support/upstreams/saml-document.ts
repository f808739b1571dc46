// Responses of SAML, written by hand and signed by the test's own keys.
import { base64Of, type Identity } from './certificate.ts'
import { SignedXml } from './saml-libraries.ts'

/** What a response says. */
export interface Said {
  readonly issuer: string
  readonly entityId: string
  readonly callbackUrl: string
  readonly requestId: string
  readonly now: Date
  readonly nameId: string
  readonly nameIdFormat?: string
  readonly attributes?: Readonly<Record<string, string | readonly string[]>>
  readonly responseId?: string
  readonly assertionId?: string
  readonly authenticatedAt?: Date
}

/** Which elements a provider signs. */
export type Signs = 'assertion' | 'response' | 'both'

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escapeXml = (text: string) => text.replace(/[&<>"]/g, mark => escapes[mark] ?? mark)
const at = (now: Date, seconds: number) => new Date(now.getTime() + seconds * 1000).toISOString()
let made = 0
const makeId = () => `_${(++made).toString(16).padStart(12, '0')}${process.pid}${Date.now().toString(16)}`

/** Writes a response with one assertion; nothing is signed. */
export const writeResponse = (said: Said): string => {
  const { issuer, entityId, callbackUrl, requestId, now, nameId, nameIdFormat, attributes = {}, responseId = makeId(), assertionId = makeId() } = said
  const values = (value: string | readonly string[]) =>
    [value]
      .flat()
      .map(one => `<saml:AttributeValue>${escapeXml(one)}</saml:AttributeValue>`)
      .join('')
  const told = Object.entries(attributes).map(([name, value]) => `<saml:Attribute Name="${escapeXml(name)}">${values(value)}</saml:Attribute>`)
  return [
    `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${responseId}" Version="2.0" IssueInstant="${at(now, 0)}" Destination="${escapeXml(callbackUrl)}" InResponseTo="${requestId}">`,
    `<saml:Issuer>${escapeXml(issuer)}</saml:Issuer>`,
    '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>',
    `<saml:Assertion ID="${assertionId}" Version="2.0" IssueInstant="${at(now, 0)}"><saml:Issuer>${escapeXml(issuer)}</saml:Issuer>`,
    `<saml:Subject><saml:NameID${nameIdFormat ? ` Format="${nameIdFormat}"` : ''}>${escapeXml(nameId)}</saml:NameID>`,
    `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="${at(now, 300)}" Recipient="${escapeXml(callbackUrl)}" InResponseTo="${requestId}"/></saml:SubjectConfirmation></saml:Subject>`,
    `<saml:Conditions NotBefore="${at(now, 0)}" NotOnOrAfter="${at(now, 300)}"><saml:AudienceRestriction><saml:Audience>${escapeXml(entityId)}</saml:Audience></saml:AudienceRestriction></saml:Conditions>`,
    `<saml:AuthnStatement AuthnInstant="${(said.authenticatedAt ?? now).toISOString()}" SessionIndex="${makeId()}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`,
    told.length === 0 ? '' : `<saml:AttributeStatement>${told.join('')}</saml:AttributeStatement>`,
    '</saml:Assertion></samlp:Response>',
  ].join('')
}

/** Writes a response that signs nobody in. */
export const writeStatus = ({ issuer, callbackUrl, requestId, now }: Omit<Said, 'nameId' | 'entityId'>, codes: readonly string[]): string => {
  const [outer, inner] = codes.map(code => `urn:oasis:names:tc:SAML:2.0:status:${code}`)
  return [
    `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${makeId()}" Version="2.0" IssueInstant="${now.toISOString()}" Destination="${escapeXml(callbackUrl)}" InResponseTo="${requestId}">`,
    `<saml:Issuer>${escapeXml(issuer)}</saml:Issuer>`,
    `<samlp:Status><samlp:StatusCode Value="${outer}">${inner ? `<samlp:StatusCode Value="${inner}"/>` : ''}</samlp:StatusCode></samlp:Status></samlp:Response>`,
  ].join('')
}

/** How a signature is made where it is not made as usual. */
export interface Signing {
  /** The secret of an HMAC, instead of the key. */
  readonly hmacSecret?: string
  readonly hasNoKeyInfo?: boolean
  /** What KeyInfo holds before the certificate. */
  readonly moreCertificates?: readonly string[]
  readonly signatureAlgorithm?: string
  readonly digestAlgorithm?: string
  readonly transforms?: readonly string[]
  readonly canonicalization?: string
}

/** The exclusive canonicalization. */
export const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'

/** The transform of a signature that stands in what it signs. */
export const enveloped = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'

/** Signs the element that `path` finds, behind its issuer, with the certificate in KeyInfo as all providers do. */
export const signElement = (xml: string, path: string, by: Identity, signing: Signing = {}): string => {
  const signed = new SignedXml({
    privateKey: signing.hmacSecret ?? by.privateKey,
    signatureAlgorithm: signing.signatureAlgorithm ?? 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    canonicalizationAlgorithm: signing.canonicalization ?? exclusive,
    idAttribute: 'ID',
    ...(signing.hasNoKeyInfo ? {} : { getKeyInfoContent: () => keyInfo([...(signing.moreCertificates ?? []), by.certificate]) }),
  })
  if (signing.hmacSecret !== undefined) signed.enableHMAC()
  const digestAlgorithm = signing.digestAlgorithm ?? 'http://www.w3.org/2001/04/xmlenc#sha256'
  signed.addReference({ xpath: path, digestAlgorithm, transforms: [...(signing.transforms ?? [enveloped, exclusive])] })
  signed.computeSignature(xml, { prefix: 'ds', location: { reference: `${path}/*[local-name(.)='Issuer']`, action: 'after' } })
  return signed.getSignedXml()
}

const keyInfo = (certificates: readonly string[]) =>
  `<ds:X509Data>${certificates.map(one => `<ds:X509Certificate>${base64Of(one)}</ds:X509Certificate>`).join('')}</ds:X509Data>`

/** Where a response, or its assertion, stands. */
export const places = { response: "/*[local-name(.)='Response']", assertion: "/*[local-name(.)='Response']/*[local-name(.)='Assertion']" }

/** Signs a response as a provider does. */
export const signResponse = (xml: string, by: Identity, signs: Signs, signing: Signing = {}): string => {
  const inner = signs === 'response' ? xml : signElement(xml, places.assertion, by, signing)
  return signs === 'assertion' ? inner : signElement(inner, places.response, by, signing)
}
