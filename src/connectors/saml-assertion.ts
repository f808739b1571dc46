// What an assertion has to say before it counts: from whom, for whom, to which request, and when (SAML Profiles §4.1.4.3, Core §2.5).
import { saml } from './saml-gate.ts'
import { demand } from './saml-refusal.ts'
import { attributeOf, childrenOf, textOf, type XmlElement } from './saml-xml.ts'

/** What is expected of response and assertion. */
export interface Expected {
  readonly idpEntityId: string
  readonly entityId: string
  readonly callbackUrl: string
  /** The ID of our request. */
  readonly requestId: string
  readonly now: Date
  /** Where the person had to sign in again: not before this. */
  readonly authenticatedSince?: Date
}

/** What an assertion is remembered by, for as long as the rest of the rules would take it again. */
export interface Bounds {
  readonly assertionId: string
  readonly until: Date
  readonly authenticatedAt: Date
}

const skewMilliseconds = 60_000
const maxAgeMilliseconds = 300_000
const entityFormat = 'urn:oasis:names:tc:SAML:2.0:nameid-format:entity'
const bearer = 'urn:oasis:names:tc:SAML:2.0:cm:bearer'
const knownConditions = ['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction']

/**
 * Throws a refusal unless the envelope is for us. What it says is believed for nothing else: it need not be signed. Where it is, it has to say from
 * whom and for whom (Profiles §4.1.4.2, Bindings §3.5.5.2); where it is not, the assertion does, by its issuer and its recipient.
 */
export const verifyResponse = (response: XmlElement, { isSigned, ...expected }: Expected & { readonly isSigned: boolean }): void => {
  if (isSigned || childrenOf(response, saml, 'Issuer').length > 0) verifyIssuer(response, expected)
  const destination = attributeOf(response, 'Destination')
  demand(destination === undefined ? !isSigned : destination === expected.callbackUrl, 'destination')
  const inResponseTo = attributeOf(response, 'InResponseTo')
  demand(inResponseTo !== undefined, 'unsolicited')
  demand(inResponseTo === expected.requestId, 'in_response_to')
  verifyAge(response, expected.now)
}

/** Throws a refusal unless the assertion is for us, answers our request, and is of now. */
export const verifyAssertion = (assertion: XmlElement, expected: Expected): Bounds => {
  verifyIssuer(assertion, expected)
  const tooOldAt = verifyAge(assertion, expected.now)
  const confirmedUntil = verifyConfirmation(subjectElementOf(assertion), expected)
  verifyConditions(assertion, expected)
  const authenticatedAt = verifyAuthentication(assertion, expected)
  const until = new Date(Math.min(tooOldAt.getTime(), confirmedUntil.getTime() + skewMilliseconds))
  return { assertionId: attributeOf(assertion, 'ID') ?? '', until, authenticatedAt }
}

/** The one subject, with one name at the most. Throws a refusal. */
export const subjectElementOf = (assertion: XmlElement): XmlElement => {
  const [subject, ...more] = childrenOf(assertion, saml, 'Subject')
  demand(subject && more.length === 0 && childrenOf(subject, saml, 'NameID').length <= 1, 'subject')
  return subject
}

const verifyIssuer = (element: XmlElement, { idpEntityId }: Expected): void => {
  const [issuer, ...more] = childrenOf(element, saml, 'Issuer')
  demand(issuer && more.length === 0 && textOf(issuer) === idpEntityId, 'issuer')
  demand((attributeOf(issuer, 'Format') ?? entityFormat) === entityFormat, 'issuer')
}

// Gives when it will be too old.
const verifyAge = (element: XmlElement, now: Date): Date => {
  const issuedAt = readTime(attributeOf(element, 'IssueInstant')).getTime()
  demand(issuedAt <= now.getTime() + skewMilliseconds, 'issued_at')
  const tooOldAt = issuedAt + maxAgeMilliseconds + skewMilliseconds
  demand(now.getTime() < tooOldAt, 'issued_at')
  return new Date(tooOldAt)
}

// There may be others, by other methods or for others (Profiles §4.1.4.3): one is by bearer and for us.
const verifyConfirmation = (subject: XmlElement, { callbackUrl, requestId, now }: Expected): Date => {
  const bearers = childrenOf(subject, saml, 'SubjectConfirmation').filter(one => attributeOf(one, 'Method') === bearer)
  const told = bearers.map(one => childrenOf(one, saml, 'SubjectConfirmationData'))
  demand(told.length > 0 && told.every(({ length }) => length === 1), 'confirmation')
  const [data, ...more] = told.flat().filter(one => attributeOf(one, 'Recipient') === callbackUrl)
  demand(data, 'recipient')
  demand(more.length === 0, 'confirmation')
  const inResponseTo = attributeOf(data, 'InResponseTo')
  demand(inResponseTo !== undefined, 'unsolicited')
  demand(inResponseTo === requestId, 'in_response_to')
  const notOnOrAfter = attributeOf(data, 'NotOnOrAfter')
  demand(notOnOrAfter !== undefined, 'confirmed_until')
  const until = readTime(notOnOrAfter)
  demand(now.getTime() - skewMilliseconds < until.getTime(), 'confirmed_until')
  demand(hasBegun(attributeOf(data, 'NotBefore'), now), 'confirmed_until')
  return until
}

const verifyConditions = (assertion: XmlElement, { entityId, now }: Expected): void => {
  const [conditions, ...more] = childrenOf(assertion, saml, 'Conditions')
  demand(conditions && more.length === 0, 'conditions')
  // Core §2.5.1: a condition that is not understood makes the assertion's validity unknown.
  demand(
    conditions.children.every(({ name, namespace }) => namespace === saml && knownConditions.includes(name)),
    'conditions',
  )
  demand(hasBegun(attributeOf(conditions, 'NotBefore'), now), 'valid_from')
  const notOnOrAfter = attributeOf(conditions, 'NotOnOrAfter')
  demand(notOnOrAfter === undefined || now.getTime() - skewMilliseconds < readTime(notOnOrAfter).getTime(), 'valid_until')
  const restrictions = childrenOf(conditions, saml, 'AudienceRestriction')
  const isForUs = (restriction: XmlElement) => childrenOf(restriction, saml, 'Audience').some(audience => textOf(audience) === entityId)
  demand(restrictions.length > 0 && restrictions.every(isForUs), 'audience')
}

const verifyAuthentication = (assertion: XmlElement, { now, authenticatedSince }: Expected): Date => {
  const [statement] = childrenOf(assertion, saml, 'AuthnStatement')
  demand(statement, 'authentication')
  const authenticatedAt = readTime(attributeOf(statement, 'AuthnInstant'))
  demand(authenticatedAt.getTime() <= now.getTime() + skewMilliseconds, 'authentication')
  demand(!authenticatedSince || authenticatedAt.getTime() >= authenticatedSince.getTime() - skewMilliseconds, 'authentication')
  const endsAt = attributeOf(statement, 'SessionNotOnOrAfter')
  demand(endsAt === undefined || now.getTime() - skewMilliseconds < readTime(endsAt).getTime(), 'authentication')
  return authenticatedAt
}

const hasBegun = (notBefore: string | undefined, now: Date): boolean =>
  notBefore === undefined || readTime(notBefore).getTime() <= now.getTime() + skewMilliseconds

// Core §1.3.3: times are in UTC, and said so.
const readTime = (text: string | undefined): Date => {
  demand(text !== undefined && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,12})?Z$/.test(text), 'time')
  const time = new Date(text)
  demand(!Number.isNaN(time.getTime()), 'time')
  return time
}
