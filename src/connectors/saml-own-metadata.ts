// Our own metadata, as a provider reads it (SAML 2.0 Metadata).
import { X509Certificate } from 'node:crypto'
import { escapeHtml } from '../platform/markup.ts'
import type { Configured } from './connector.ts'
import { samlp } from './saml-gate.ts'
import { nameIdFormat } from './saml-person.ts'
import type { SamlSecrets, SamlSettings } from './saml-settings.ts'
import { ds } from './saml-signature.ts'

const md = 'urn:oasis:names:tc:SAML:2.0:metadata'
const bindings = 'urn:oasis:names:tc:SAML:2.0:bindings:'
const formats = ['urn:oasis:names:tc:SAML:2.0:nameid-format:persistent', 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress']
const unspecified = 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified'

/** Writes it, in the order of the schema. */
export const writeMetadata = ({ settings, secrets, callbackUrl, entityId }: Configured<SamlSettings, SamlSecrets>): string => {
  const asked = nameIdFormat(settings)
  const wanted = asked === null ? [...formats, unspecified] : [asked]
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<md:EntityDescriptor xmlns:md="${md}" entityID="${escapeHtml(entityId)}">`,
    `  <md:SPSSODescriptor AuthnRequestsSigned="${secrets.signing_key !== undefined}" WantAssertionsSigned="${settings.signed !== 'response'}" protocolSupportEnumeration="${samlp}">`,
    ...(settings.signing_certificate === undefined ? [] : [writeKey(settings.signing_certificate)]),
    ...wanted.map(format => `    <md:NameIDFormat>${format}</md:NameIDFormat>`),
    `    <md:AssertionConsumerService Binding="${bindings}HTTP-POST" Location="${escapeHtml(callbackUrl)}" index="0" isDefault="true"/>`,
    '  </md:SPSSODescriptor>',
    '</md:EntityDescriptor>',
    '',
  ].join('\n')
}

const writeKey = (certificate: string): string => {
  const base64 = new X509Certificate(certificate).raw.toString('base64')
  const info = `<ds:KeyInfo xmlns:ds="${ds}"><ds:X509Data><ds:X509Certificate>${base64}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`
  return `    <md:KeyDescriptor use="signing">${info}</md:KeyDescriptor>`
}
