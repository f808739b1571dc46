// What an administrator sets of a SAML provider.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { isSecureAddress } from './secure-address.ts'

const maxCertificates = 10
const minModulusBits = 2048

// As PEM, or as the base64 that metadata has; kept as PEM.
const certificate = z
  .string()
  .max(16_384)
  .transform((text, context) => {
    const read = readCertificate(text)
    if (read) return read.toString()
    context.addIssue({ code: 'custom', message: `This is no X.509 certificate with an RSA key of ${minModulusBits} bits or more.` })
    return z.NEVER
  })

// An entity identifier is a URI of at most 1024 characters (SAML Core §8.3.6).
const entityId = z.string().regex(/^[^\s<>"'\\]{1,1024}$/u)
const attributeName = z.string().min(1).max(512)
const attributeNames = z.array(attributeName).min(1).max(20)

/** Where the providers in use put what we ask for: Okta, Entra and ADFS, Keycloak, OneLogin, Google, and Shibboleth with its OIDs. */
export const defaultAttributes = {
  email: [
    'email',
    'mail',
    'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
    'urn:oid:0.9.2342.19200300.100.1.3',
    'urn:oid:1.2.840.113549.1.9.1',
    'emailAddress',
    'User.email',
    'EmailAddress',
  ],
  name: [
    'displayName',
    'http://schemas.microsoft.com/identity/claims/displayname',
    'urn:oid:2.16.840.1.113730.3.1.241',
    'name',
    'cn',
    'urn:oid:2.5.4.3',
    'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name',
  ],
  given_name: ['firstName', 'givenName', 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname', 'urn:oid:2.5.4.42', 'User.FirstName', 'first_name'],
  family_name: ['lastName', 'sn', 'surname', 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname', 'urn:oid:2.5.4.4', 'User.LastName', 'last_name'],
  groups: [
    'groups',
    'memberOf',
    'http://schemas.microsoft.com/ws/2008/06/identity/claims/groups',
    'http://schemas.xmlsoap.org/claims/Group',
    'urn:oid:1.3.6.1.4.1.5923.1.5.1.1',
    'Role',
    'http://schemas.microsoft.com/ws/2008/06/identity/claims/role',
  ],
}

/** The settings of a SAML provider. */
export const samlSettings = z.strictObject({
  idp_entity_id: entityId,
  sso_url: z.url().max(2048).refine(isSecureAddress, 'must be an https address without a name or password in it'),
  sso_binding: z.enum(['redirect', 'post']).default('redirect'),
  /** What its signatures are verified with, and nothing else: several while it changes its key. */
  certificates: z.array(certificate).min(1).max(maxCertificates),
  /** What has to be signed at the least; all that is signed has to be right. */
  signed: z.enum(['either', 'assertion', 'response', 'both']).default('either'),
  /** The certificate of our key, for the provider to verify requests with; the key is a secret. Without both, requests are not signed. */
  signing_certificate: certificate.optional(),
  /** Whether the provider answers signed requests alone, as its metadata says. */
  wants_signed_requests: z.boolean().default(false),
  /** What it is asked to name a person by; `unspecified` leaves it to the provider. */
  name_id_format: z.enum(['unspecified', 'persistent', 'email']).default('unspecified'),
  attributes: z
    .strictObject({
      /** What a person is known by instead of the name of the subject: it has to last, and never go to another. */
      subject: attributeName.optional(),
      email: attributeNames.default(defaultAttributes.email),
      /** What says whether the address is proven, by the text `true`. */
      email_verified: attributeName.optional(),
      name: attributeNames.default(defaultAttributes.name),
      given_name: attributeNames.default(defaultAttributes.given_name),
      family_name: attributeNames.default(defaultAttributes.family_name),
      groups: attributeNames.default(defaultAttributes.groups),
    })
    .prefault({}),
  /** Whether its addresses are those that its directory gave people, and none that they typed; names that are addresses are among them. */
  is_email_verified: z.boolean().default(true),
})

/** The settings of a SAML provider. */
export type SamlSettings = z.output<typeof samlSettings>

/** The key that signs our requests, where the provider wants it: RSA, as PEM. There are no others, as assertions are not encrypted. */
export const samlSecrets = z.strictObject({
  signing_key: z.string().max(16_384).refine(isSigningKey, `This is no private key of RSA with ${minModulusBits} bits or more.`).optional(),
})

/** The key that signs our requests. */
export type SamlSecrets = z.output<typeof samlSecrets>

/** Whether a certificate is of this key. */
export const isOfKey = (certificate: string, signingKey: string): boolean => new X509Certificate(certificate).checkPrivateKey(createPrivateKey(signingKey))

/** Reads a certificate with an RSA key that is long enough; `undefined` where it is none. */
export const readCertificate = (text: string): X509Certificate | undefined => {
  const base64 = /^\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/.exec(text)?.[1] ?? text
  if (!/^[A-Za-z0-9+/=\s]+$/.test(base64)) return undefined
  const read = parse(() => new X509Certificate(Buffer.from(base64, 'base64')))
  const { asymmetricKeyType, asymmetricKeyDetails } = read?.publicKey ?? {}
  return asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) >= minModulusBits ? read : undefined
}

function isSigningKey(text: string): boolean {
  const { asymmetricKeyType, asymmetricKeyDetails } = parse(() => createPrivateKey(text)) ?? {}
  return asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) >= minModulusBits
}

// What is no key or certificate at all is told by an error with a code of OpenSSL.
const parse = <Read>(read: () => Read): Read | undefined => {
  try {
    return read()
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}
