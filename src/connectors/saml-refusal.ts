// Why an answer of a SAML provider is refused: one reason a rule, for the log and the tests alone.

const reasons = {
  parameters: 'The form does not hold exactly one SAMLResponse and our RelayState.',
  binding: 'The answer did not come by POST, as the browser profile wants it (SAML Profiles §4.1.2).',
  too_large: 'The answer is too large.',
  base64: 'The answer is not strict base64.',
  encoding: 'The document is not well-formed UTF-8.',
  doctype: 'The document holds a document type or an entity declaration.',
  comment: 'The document holds a comment.',
  cdata: 'The document holds a CDATA section.',
  processing_instruction: 'The document holds a processing instruction.',
  malformed: 'The document is not well-formed XML.',
  entity: 'The document refers to an entity that is not one of the five of XML.',
  namespace: 'A prefix of the document is bound to no namespace.',
  too_deep: 'The document is nested too deep.',
  too_many_elements: 'The document has too many elements or attributes.',
  root: 'The root is not one samlp:Response of version 2.0.',
  status: 'The provider answers with another status than success.',
  encrypted: 'The assertion, name or attribute is encrypted; encryption is not supported.',
  assertions: 'There is not exactly one assertion, as a child of the response.',
  duplicate_id: 'Two elements have the same ID, or one that has to have an ID has none.',
  unsigned: 'The assertion, or what the settings want signed, is not signed.',
  signature_place: 'A signature stands elsewhere than once in the response or the assertion.',
  signature_shape: 'A signature holds something else than SignedInfo, SignatureValue and KeyInfo.',
  references: 'A signature does not have exactly one reference.',
  reference: 'A signature refers to something else than the element it stands in.',
  transforms: 'The transforms are not the enveloped signature and the exclusive canonicalization.',
  algorithm: 'An algorithm is not allowed.',
  signature: 'No pinned certificate verifies the signature.',
  issuer: 'The issuer is not the provider of this connection.',
  destination: 'The destination is not our address.',
  unsolicited: 'The response answers no request.',
  in_response_to: 'The response answers another request.',
  time: 'A time is not one of UTC in the form of XML.',
  issued_at: 'The response or assertion is of the future, or too old.',
  subject: 'The assertion does not have exactly one subject, or has two names for it, or none where it is the key.',
  name_id: 'The name of the subject is empty, has white space around it, or is one that does not last.',
  confirmation: 'The subject is not confirmed by bearer, for us exactly once.',
  recipient: 'The subject is confirmed for another recipient.',
  confirmed_until: 'The confirmation of the subject is over, not begun, or has no end.',
  conditions: 'The conditions are missing, double, or hold one that is not known.',
  valid_from: 'The assertion is not valid yet.',
  valid_until: 'The assertion is not valid any more.',
  audience: 'The assertion is not for us.',
  authentication: 'The assertion does not say when the person signed in, or that was another time than it may be.',
  markup: 'There is markup where there should be text.',
  attributes: 'An attribute has no name, is told too long, or says nothing where it has to.',
  replayed: 'The assertion was accepted before.',
} as const

/** A rule that an answer broke. */
export type SamlReason = keyof typeof reasons

/** What is thrown where an answer breaks a rule. */
export class SamlRefusal extends Error {
  readonly reason: SamlReason

  constructor(reason: SamlReason, cause?: unknown) {
    super(reasons[reason], { cause })
    this.name = 'SamlRefusal'
    this.reason = reason
  }
}

/** Refuses for this reason unless it holds. */
export function demand(holds: unknown, reason: SamlReason): asserts holds {
  if (!holds) throw new SamlRefusal(reason)
}
