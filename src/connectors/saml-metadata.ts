// The metadata of a provider, read into settings (SAML 2.0 Metadata).
import { Problem } from '../platform/errors.ts'
import { samlp } from './saml-gate.ts'
import { SamlRefusal } from './saml-refusal.ts'
import { readCertificate, type SamlSettings, samlSettings } from './saml-settings.ts'
import { ds } from './saml-signature.ts'
import { allOf, attributeOf, childrenOf, readXml, textOf, type XmlElement } from './saml-xml.ts'

const md = 'urn:oasis:names:tc:SAML:2.0:metadata'
const bindings = 'urn:oasis:names:tc:SAML:2.0:bindings:'
const maxCharacters = 512 * 1024

/** Makes settings of the provider's. Throws `validation_failed`, also for what has expired. */
export const readMetadata = (document: string, now: Date): SamlSettings => {
  try {
    return toSettings(document, now)
  } catch (error) {
    if (error instanceof SamlRefusal) throw invalid(error.message, error)
    throw error
  }
}

const toSettings = (document: string, now: Date): SamlSettings => {
  const { root, entity } = getEntity(document)
  const idp = childrenOf(entity, md, 'IDPSSODescriptor').find(role => (attributeOf(role, 'protocolSupportEnumeration') ?? '').split(/\s+/).includes(samlp))
  if (!idp) throw invalid('The metadata describes no identity provider of SAML 2.0.')
  for (const element of allOf(root)) if (allOf(element).includes(idp)) mustBeValid(element, now)
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
    wants_signed_requests: ['true', '1'].includes(attributeOf(idp, 'WantAuthnRequestsSigned') ?? ''),
  })
  if (read.success) return read.data
  throw invalid(`The metadata cannot be used: ${[...new Set(read.error.issues.map(({ path }) => String(path[0])))].join(', ')}.`, read.error)
}

// The document of one provider, or a list that has only one.
const getEntity = (document: string): { readonly root: XmlElement; readonly entity: XmlElement } => {
  if (document.length > maxCharacters) throw invalid('The metadata is too large.')
  const root = readXml(document.replace(/^\uFEFF/, '').trim(), { areCommentsLeftOut: true })
  const entities = allOf(root).filter(({ name, namespace }) => name === 'EntityDescriptor' && namespace === md)
  const providers = entities.filter(entity => childrenOf(entity, md, 'IDPSSODescriptor').length > 0)
  const [entity, ...more] = providers
  if (root.namespace !== md || !entity || more.length > 0) throw invalid('The metadata does not describe exactly one identity provider.')
  return { root, entity }
}

// Metadata §2.3.2, §4.3.1: what is past its time is not used, and the time of a list is that of all in it.
const mustBeValid = (element: XmlElement, now: Date): void => {
  const validUntil = attributeOf(element, 'validUntil')
  if (validUntil !== undefined && !(Date.parse(validUntil) > now.getTime())) throw invalid(`The metadata was valid until ${validUntil}.`)
}

// A key without `use` is for both (Metadata §2.4.1.1); one for encryption verifies nothing, and one that we cannot use would verify nothing here.
const certificatesOf = (idp: XmlElement): readonly string[] => {
  const keys = childrenOf(idp, md, 'KeyDescriptor').filter(key => (attributeOf(key, 'use') ?? 'signing') === 'signing')
  const written = keys.flatMap(allOf).filter(({ name, namespace }) => name === 'X509Certificate' && namespace === ds)
  const certificates = written.flatMap(element => readCertificate(textOf(element))?.toString() ?? [])
  return [...new Set(certificates)]
}

const invalid = (message: string, cause?: unknown): Problem =>
  new Problem('validation_failed', { cause, fields: [{ path: 'metadata', message, code: 'invalid' }] })
