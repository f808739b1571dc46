// What can be seen of a SAML connection without a person, as sentences for its administrator.
import type { Configured, Finding } from './connector.ts'
import { isOfKey, readCertificate, type SamlSecrets, type SamlSettings } from './saml-settings.ts'

/** Looks at them. */
export const lookAt = ({ settings, secrets }: Configured<SamlSettings, SamlSecrets>, now: Date): readonly Finding[] => [
  ...settings.certificates.map((certificate, index) => lookAtCertificate(`certificate ${index + 1}`, certificate, now)),
  ...lookAtRequests(settings.wants_signed_requests, secrets.signing_key),
  ...lookAtSigning(settings.signing_certificate, secrets.signing_key, now),
  // Nobody sees it before the first sign-in, and some providers encrypt unless they are told not to, Shibboleth among them.
  { check: 'encryption', isGood: true, detail: 'Encrypted assertions are refused: the provider has to send them signed, and not encrypted.' },
]

const lookAtRequests = (isWanted: boolean, key: string | undefined): readonly Finding[] =>
  isWanted && key === undefined
    ? [{ check: 'signed requests', isGood: false, detail: 'The provider wants signed requests, and there is no key to sign them with: set signing_key.' }]
    : []

const lookAtCertificate = (check: string, written: string, now: Date): Finding => {
  const certificate = readCertificate(written)
  if (!certificate) return { check, isGood: false, detail: 'This is no certificate that can be used.' }
  const day = (time: Date) => time.toISOString().slice(0, 10)
  const { validFromDate, validToDate } = certificate
  if (validToDate < now) return { check, isGood: false, detail: `This certificate expired on ${day(validToDate)}. Its key counts still: replace it.` }
  if (validFromDate > now) return { check, isGood: false, detail: `This certificate is valid from ${day(validFromDate)} on.` }
  return { check, isGood: true, detail: `This certificate is valid until ${day(validToDate)}.` }
}

const lookAtSigning = (certificate: string | undefined, key: string | undefined, now: Date): readonly Finding[] => {
  const check = 'signing certificate'
  if (certificate === undefined && key === undefined) return []
  if (certificate === undefined)
    return [{ check, isGood: false, detail: 'Requests are signed, but the certificate that the provider needs to verify them is missing.' }]
  if (key === undefined) return [{ check, isGood: false, detail: 'There is a certificate to sign requests with, but no key: they are not signed.' }]
  if (!isOfKey(certificate, key)) return [{ check, isGood: false, detail: 'The certificate is of another key than the one that signs requests.' }]
  return [lookAtCertificate(check, certificate, now)]
}
