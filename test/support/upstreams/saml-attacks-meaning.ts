// Answers that are signed as they should be, but for another, to another, of another, or of another time (S4, S6).
import { type Attack, type Scene, swap } from './saml-attack.ts'

const issuer = /<saml:Issuer>[^<]*<\/saml:Issuer>/
const audience = /(?<=<saml:Audience>)[^<]*/
const method = 'urn:oasis:names:tc:SAML:2.0:cm:'
const inAssertion =
  (change: (assertion: string, scene: Scene) => string): NonNullable<Attack['prepare']> =>
  (xml, scene) =>
    xml.replace(/<saml:Assertion .*<\/saml:Assertion>/s, all => change(all, scene))
const within = (from: string | RegExp, to: string) => inAssertion(xml => xml.replace(from, () => to))
const ahead = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString()
const data = /<saml:SubjectConfirmationData [^>]*>/
// An attribute of the first element that the pattern finds; undefined takes it off.
const set = (element: string, attribute: string, value: string | undefined): NonNullable<Attack['prepare']> =>
  swap(new RegExp(`(?<=<${element}\\b[^>]*) ${attribute}="[^"]*"`), value === undefined ? '' : ` ${attribute}="${value}"`)
const confirmed = (attribute: string, value: string | undefined) => set('saml:SubjectConfirmationData', attribute, value)
const callback = ({ said }: Scene) => said.callbackUrl

const persons: readonly Attack[] = [
  { name: 'S4 another issuer of the response', reason: 'issuer', prepare: swap(issuer, '<saml:Issuer>https://evil.example</saml:Issuer>') },
  { name: 'S4 no issuer of a response that is signed', reason: 'signature_place', signs: 'response', alter: swap(issuer, '') },
  { name: 'S4 two issuers of the response', reason: 'issuer', prepare: xml => xml.replace(issuer, '$&$&') },
  { name: 'S4 another issuer of the assertion', reason: 'issuer', prepare: within(issuer, '<saml:Issuer>https://evil.example</saml:Issuer>') },
  { name: 'S4 no issuer of the assertion', reason: 'issuer', signs: 'response', prepare: within(issuer, '') },
  { name: 'S4 an issuer with white space', reason: 'issuer', prepare: inAssertion(xml => xml.replace('</saml:Issuer>', ' </saml:Issuer>')) },
  {
    name: 'S4 an issuer that is no entity',
    reason: 'issuer',
    prepare: within('<saml:Issuer>', '<saml:Issuer Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">'),
  },
  { name: 'S4 another audience', reason: 'audience', prepare: swap(audience, 'https://evil.example') },
  { name: 'S4 an audience that begins with ours', reason: 'audience', prepare: xml => xml.replace(audience, '$&/more') },
  { name: 'S4 an audience that ours begins with', reason: 'audience', prepare: xml => xml.replace(audience, all => all.slice(0, -1)) },
  { name: 'S4 an audience with white space', reason: 'audience', prepare: xml => xml.replace(audience, ' $&') },
  { name: 'S4 our audience in capitals', reason: 'audience', prepare: xml => xml.replace(audience, all => all.toUpperCase()) },
  { name: 'S4 no audience', reason: 'audience', prepare: swap(/<saml:Audience>.*<\/saml:Audience>/, '') },
  { name: 'S4 no restriction of the audience', reason: 'audience', prepare: swap(/<saml:AudienceRestriction>.*<\/saml:AudienceRestriction>/, '') },
  {
    name: 'S4 a second restriction that we are not in',
    reason: 'audience',
    prepare: swap(
      '</saml:Conditions>',
      '<saml:AudienceRestriction><saml:Audience>https://evil.example</saml:Audience></saml:AudienceRestriction></saml:Conditions>',
    ),
  },
  { name: 'S4 no conditions', reason: 'conditions', prepare: swap(/<saml:Conditions .*<\/saml:Conditions>/, '') },
  { name: 'S4 two conditions', reason: 'conditions', prepare: xml => xml.replace(/<saml:Conditions .*<\/saml:Conditions>/, '$&$&') },
  { name: 'S4 a condition that nobody knows', reason: 'conditions', prepare: swap('</saml:Conditions>', '<saml:Condition/></saml:Conditions>') },
  {
    name: 'S4 no destination of a response that is signed',
    reason: 'destination',
    signs: 'response',
    prepare: set('samlp:Response', 'Destination', undefined),
  },
  { name: 'S4 another destination', reason: 'destination', prepare: set('samlp:Response', 'Destination', 'https://evil.example/callback') },
  {
    name: 'S4 a destination that begins with ours',
    reason: 'destination',
    prepare: (xml, scene) => xml.replace(`Destination="${callback(scene)}`, all => `${all}/more`),
  },
  { name: 'S4 our destination with a query', reason: 'destination', prepare: (xml, scene) => xml.replace(`Destination="${callback(scene)}`, all => `${all}?`) },
  { name: 'S4 an empty destination', reason: 'destination', prepare: set('samlp:Response', 'Destination', '') },
  { name: 'S4 no recipient', reason: 'recipient', prepare: confirmed('Recipient', undefined) },
  { name: 'S4 another recipient', reason: 'recipient', prepare: confirmed('Recipient', 'https://evil.example/callback') },
  {
    name: 'S4 a recipient that begins with ours',
    reason: 'recipient',
    prepare: (xml, scene) => xml.replace(`Recipient="${callback(scene)}`, all => `${all}/more`),
  },
  { name: 'S4 confirmed by a key of the holder', reason: 'confirmation', prepare: swap(`${method}bearer`, `${method}holder-of-key`) },
  { name: 'S4 confirmed by vouching', reason: 'confirmation', prepare: swap(`${method}bearer`, `${method}sender-vouches`) },
  { name: 'S4 not confirmed', reason: 'confirmation', prepare: swap(/<saml:SubjectConfirmation .*<\/saml:SubjectConfirmation>/, '') },
  { name: 'S4 confirmed twice', reason: 'confirmation', prepare: xml => xml.replace(/<saml:SubjectConfirmation .*<\/saml:SubjectConfirmation>/, '$&$&') },
  {
    name: 'S4 confirmed by bearer for others alone',
    reason: 'recipient',
    prepare: (xml, scene) =>
      xml
        .replace(`Recipient="${callback(scene)}`, 'Recipient="https://evil.example')
        .replace(/<saml:SubjectConfirmation .*<\/saml:SubjectConfirmation>/, all => all + all.replace(`${method}bearer`, `${method}sender-vouches`)),
  },
  { name: 'S4 confirmed without data', reason: 'confirmation', prepare: swap(data, '') },
  { name: 'S4 confirmed with data twice', reason: 'confirmation', prepare: xml => xml.replace(data, '$&$&') },
]

const times: readonly Attack[] = [
  { name: 'S4 a confirmation that ended 61 s ago', reason: 'confirmed_until', prepare: confirmed('NotOnOrAfter', ahead(-61)) },
  { name: 'S4 a confirmation without an end', reason: 'confirmed_until', prepare: confirmed('NotOnOrAfter', undefined) },
  {
    name: 'S4 a confirmation that has not begun',
    reason: 'confirmed_until',
    prepare: swap('<saml:SubjectConfirmationData', `<saml:SubjectConfirmationData NotBefore="${ahead(600)}"`),
  },
  { name: 'S4 an assertion that is not valid yet', reason: 'valid_from', prepare: set('saml:Conditions', 'NotBefore', ahead(600)) },
  { name: 'S4 an assertion that ended 61 s ago', reason: 'valid_until', prepare: set('saml:Conditions', 'NotOnOrAfter', ahead(-61)) },
  { name: 'S4 a response of 6 minutes ago', reason: 'issued_at', prepare: set('samlp:Response', 'IssueInstant', ahead(-361)) },
  { name: 'S4 an assertion of 6 minutes ago', reason: 'issued_at', prepare: set('saml:Assertion', 'IssueInstant', ahead(-361)) },
  {
    name: 'S4 an assertion of yesterday that is valid for a year',
    reason: 'issued_at',
    prepare: (xml, scene) =>
      set('saml:Assertion', 'IssueInstant', ahead(-86_400))(xml.replaceAll(/NotOnOrAfter="[^"]*"/g, `NotOnOrAfter="${ahead(31_536_000)}"`), scene),
  },
  { name: 'S4 a response of the future', reason: 'issued_at', prepare: set('samlp:Response', 'IssueInstant', ahead(600)) },
  { name: 'S4 an assertion of the future', reason: 'issued_at', prepare: set('saml:Assertion', 'IssueInstant', ahead(600)) },
  { name: 'S4 an assertion without a time', reason: 'time', prepare: set('saml:Assertion', 'IssueInstant', undefined) },
  { name: 'S4 a time that is none', reason: 'time', prepare: set('saml:Conditions', 'NotOnOrAfter', 'never') },
  { name: 'S4 an empty time', reason: 'time', prepare: set('saml:Conditions', 'NotBefore', '') },
  { name: 'S4 a time of a month that is not', reason: 'time', prepare: set('saml:Conditions', 'NotOnOrAfter', '2099-13-01T00:00:00Z') },
  { name: 'S4 a time of no zone', reason: 'time', prepare: confirmed('NotOnOrAfter', '2099-01-01T00:00:00') },
  { name: 'S4 a time of another zone', reason: 'time', prepare: confirmed('NotOnOrAfter', '2099-01-01T00:00:00+14:00') },
  { name: 'S4 nobody signed in', reason: 'authentication', prepare: swap(/<saml:AuthnStatement .*<\/saml:AuthnStatement>/, '') },
  { name: 'S4 somebody who will sign in', reason: 'authentication', prepare: set('saml:AuthnStatement', 'AuthnInstant', ahead(600)) },
  {
    name: 'S4 a session that is over',
    reason: 'authentication',
    prepare: swap('<saml:AuthnStatement', `<saml:AuthnStatement SessionNotOnOrAfter="${ahead(-61)}"`),
  },
]

const requests: readonly Attack[] = [
  { name: 'S6 a response that nobody asked for', reason: 'unsolicited', prepare: xml => xml.replaceAll(/ InResponseTo="[^"]*"/g, '') },
  { name: 'S6 an envelope that nobody asked for', reason: 'unsolicited', prepare: set('samlp:Response', 'InResponseTo', undefined) },
  { name: 'S6 an assertion that nobody asked for', reason: 'unsolicited', prepare: confirmed('InResponseTo', undefined) },
  { name: 'S6 an answer to another request', reason: 'in_response_to', prepare: xml => xml.replaceAll(/InResponseTo="[^"]*"/g, 'InResponseTo="_another"') },
  { name: 'S6 an envelope for another request', reason: 'in_response_to', prepare: set('samlp:Response', 'InResponseTo', '_another') },
  { name: 'S6 an assertion for another request', reason: 'in_response_to', prepare: confirmed('InResponseTo', '_another') },
  { name: 'S6 an empty request', reason: 'in_response_to', prepare: xml => xml.replaceAll(/InResponseTo="[^"]*"/g, 'InResponseTo=""') },
  {
    name: 'S6 the assertion of an earlier sign-in in the envelope of this',
    reason: 'in_response_to',
    alter: (xml, scene) =>
      xml.replace(
        /<saml:Assertion .*<\/saml:Assertion>/s,
        () => scene.another({ requestId: '_earlier' }).match(/<saml:Assertion .*<\/saml:Assertion>/s)?.[0] ?? '',
      ),
  },
]

/** All of them. */
export const meaningAttacks: readonly Attack[] = [...persons, ...times, ...requests]
