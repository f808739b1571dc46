// Metadata (SAML 2.0 Metadata): ours is written, the provider's is read into settings.

import { X509Certificate } from 'node:crypto'
import { Problem } from '../platform/errors.ts'
import { escapeHtml } from '../platform/markup.ts'
import type { Configured } from './connector.ts'
import { samlp } from './saml-gate.ts'
import { nameIdFormat } from './saml-person.ts'
import { SamlRefusal } from './saml-refusal.ts'
import { readCertificate, type SamlSecrets, type SamlSettings, samlSettings } from './saml-settings.ts'
import { ds } from './saml-signature.ts'
import { allOf, attributeOf, childrenOf, readXml, textOf, type XmlElement } from './saml-xml.ts'

const md = 'urn:oasis:names:tc:SAML:2.0:metadata'
const bindings = 'urn:oasis:names:tc:SAML:2.0:bindings:'
const formats = ['urn:oasis:names:tc:SAML:2.0:nameid-format:persistent', 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress']
const unspecified = 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified'
const maxCharacters = 512 * 1024

/** Writes ours, in the order of the schema. */
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

/** Makes settings of the provider's. Throws `validation_failed`. */
export const readMetadata = (document: string): SamlSettings => {
  try {
    return toSettings(document)
  } catch (error) {
    if (error instanceof SamlRefusal) throw invalid(error.message, error)
    throw error
  }
}

const toSettings = (document: string): SamlSettings => {
  const entity = findEntity(document)
  const idp = childrenOf(entity, md, 'IDPSSODescriptor').find(role => (attributeOf(role, 'protocolSupportEnumeration') ?? '').split(/\s+/).includes(samlp))
  if (!idp) throw invalid('The metadata describes no identity provider of SAML 2.0.')
  const services = childrenOf(idp, md, 'SingleSignOnService')
  const at = (binding: string) => services.find(service => attributeOf(service, 'Binding') === `${bindings}${binding}`)
  const redirect = at('HTTP-Redirect')
  const service = redirect ?? at('HTTP-POST')
  if (!service) throw invalid('The provider takes requests neither by redirect nor by POST.')
  const read = samlSettings.safeParse({
    idp_entity_id: attributeOf(entity, 'entityID'),
    sso_url: attributeOf(service, 'Location'),
    sso_binding: redirect ? 'redirect' : 'post',
    certificates: certificatesOf(idp),
  })
  if (read.success) return read.data
  throw invalid(`The metadata cannot be used: ${[...new Set(read.error.issues.map(({ path }) => String(path[0])))].join(', ')}.`, read.error)
}

// The document of one provider, or a list that has only one.
const findEntity = (document: string): XmlElement => {
  if (document.length > maxCharacters) throw invalid('The metadata is too large.')
  const root = readXml(document.replace(/^\uFEFF/, '').trim(), { areCommentsLeftOut: true })
  const entities = allOf(root).filter(({ name, namespace }) => name === 'EntityDescriptor' && namespace === md)
  const providers = entities.filter(entity => childrenOf(entity, md, 'IDPSSODescriptor').length > 0)
  const [entity, ...more] = providers
  if (root.namespace !== md || !entity || more.length > 0) throw invalid('The metadata does not describe exactly one identity provider.')
  return entity
}

// A key without `use` is for both (Metadata §2.4.1.1); one for encryption verifies nothing.
const certificatesOf = (idp: XmlElement): readonly string[] => {
  const keys = childrenOf(idp, md, 'KeyDescriptor').filter(key => (attributeOf(key, 'use') ?? 'signing') === 'signing')
  const written = keys.flatMap(allOf).filter(({ name, namespace }) => name === 'X509Certificate' && namespace === ds)
  const certificates = written.map(element => readCertificate(textOf(element))?.toString() ?? textOf(element))
  return [...new Set(certificates)]
}

const invalid = (message: string, cause?: unknown): Problem =>
  new Problem('validation_failed', { cause, fields: [{ path: 'metadata', message, code: 'invalid' }] })
