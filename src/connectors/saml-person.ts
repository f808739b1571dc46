// Who an assertion is about: read from signed bytes alone, text as a whole or not at all.
import type { UpstreamIdentity } from './connector.ts'
import { subjectElementOf } from './saml-assertion.ts'
import { saml } from './saml-gate.ts'
import { demand } from './saml-refusal.ts'
import type { SamlSettings } from './saml-settings.ts'
import { attributeOf, childrenOf, textOf, type XmlElement } from './saml-xml.ts'
import { claimsOf, emailOf, profileOf } from './told-claims.ts'

const formats = 'urn:oasis:names:tc:SAML:'
const emailFormat = `${formats}1.1:nameid-format:emailAddress`
const unspecifiedFormat = `${formats}1.1:nameid-format:unspecified`
const asked = { unspecified: undefined, persistent: `${formats}2.0:nameid-format:persistent`, email: emailFormat }
// A name of one sign-in alone, or of a machine: nobody is known by it the next time.
const fleeting = [`${formats}2.0:nameid-format:transient`, `${formats}2.0:nameid-format:entity`, `${formats}2.0:nameid-format:encrypted`]
const maxAttributes = 200
const maxValues = 1000
const maxSubject = 255
const maxQualified = 1000
const separator = '\u001f'

type Told = ReadonlyMap<string, readonly string[]>

interface Named {
  readonly text: string
  readonly format: string | undefined
  /** Of which store of users, and for whom: SAML Core §2.2.2. */
  readonly nameQualifier: string | undefined
  readonly spNameQualifier: string | undefined
}

/** The format of names that the provider is asked for; `null` leaves it to the provider. */
export const nameIdFormat = (settings: SamlSettings): string | null => asked[settings.name_id_format] ?? null

/** Reads it; `entityId` is ours. Throws a refusal. */
export const readPerson = (assertion: XmlElement, settings: SamlSettings, entityId: string): Omit<UpstreamIdentity, 'authenticatedAt'> => {
  const { attributes: mapped } = settings
  const named = readName(assertion)
  const told = readAttributes(assertion, new Set(Object.values(mapped).flat()))
  const email = valuesOf(told, mapped.email).flatMap(toEmail)[0] ?? addressOf(named)
  const isVerified = mapped.email_verified === undefined ? settings.is_email_verified : told.get(mapped.email_verified)?.join() === 'true'
  const own = { ...(named && { name_id: named.text }), ...(named?.format && { name_id_format: named.format }) }
  const first = { ...own, groups: [...new Set(valuesOf(told, mapped.groups))] }
  const others = Object.fromEntries([...told].map(([name, values]) => [name, values.length === 1 ? values[0] : values]))
  return {
    subject: subjectOf(named, told, { settings, entityId }),
    ...(email === undefined ? {} : { email }),
    isEmailVerified: email !== undefined && isVerified,
    ...profileOf({ name: valuesOf(told, mapped.name)[0] ?? fullName(told, mapped) }),
    // What is bounded is cut off at the end: ours stands first, and is not overwritten.
    ...claimsOf(first, others, first),
  }
}

const readName = (assertion: XmlElement): Named | undefined => {
  const [nameId] = childrenOf(subjectElementOf(assertion), saml, 'NameID')
  return (
    nameId && {
      text: textOf(nameId),
      format: attributeOf(nameId, 'Format'),
      nameQualifier: attributeOf(nameId, 'NameQualifier'),
      spNameQualifier: attributeOf(nameId, 'SPNameQualifier'),
    }
  )
}

// Google Workspace calls people by their address and leaves open what it is.
const addressOf = (named: Named | undefined): string | undefined =>
  named && [emailFormat, unspecifiedFormat, undefined].includes(named.format) ? toEmail(named.text)[0] : undefined

const toEmail = (text: string): readonly string[] => {
  const email = emailOf({ email: text })
  return email === undefined ? [] : [email]
}

const subjectOf = (named: Named | undefined, told: Told, { settings, entityId }: { settings: SamlSettings; entityId: string }): string => {
  const { subject: name } = settings.attributes
  if (name !== undefined) {
    const values = told.get(name) ?? []
    demand(values.length === 1 && isKey(values[0] ?? ''), 'attributes')
    return values[0] ?? ''
  }
  demand(named, 'subject')
  const subject = lasting(named.text, named.format, settings)
  demand(isKey(subject), 'name_id')
  return qualified(subject, named, { idp: settings.idp_entity_id, entityId })
}

// One name in two stores of users is two people. The provider's own store and us are what the qualifiers mean where they are left out (SAML Core
// §8.3.7), and then the name stands alone; what separates them is in no name.
const qualified = (name: string, { nameQualifier, spNameQualifier }: Named, { idp, entityId }: { idp: string; entityId: string }): string => {
  const qualifiers = [nameQualifier || idp, spNameQualifier || entityId]
  if (qualifiers[0] === idp && qualifiers[1] === entityId) return name
  const key = [name, ...qualifiers].join(separator)
  demand(qualifiers.every(isKey) && key.length <= maxQualified, 'name_id')
  return key
}

const lasting = (name: string, format: string | undefined, settings: SamlSettings): string => {
  const wanted = nameIdFormat(settings)
  demand(!fleeting.includes(format ?? ''), 'name_id')
  demand(wanted === null || format === wanted, 'name_id')
  return name
}

// What is shown and compared has to be what is meant: no white space around it, nothing that is not seen.
const isKey = (text: string): boolean => text.length > 0 && text.length <= maxSubject && text === text.trim() && !/[\p{C}\p{Zl}\p{Zp}]/u.test(text)

// A mapped attribute is text as a whole; of the others, what is none is left out, such as the name in a value of eduPersonTargetedID.
const readAttributes = (assertion: XmlElement, mapped: ReadonlySet<string | undefined>): Told => {
  const told = new Map<string, string[]>()
  const attributes = childrenOf(assertion, saml, 'AttributeStatement').flatMap(statement => childrenOf(statement, saml, 'Attribute'))
  demand(attributes.length <= maxAttributes, 'attributes')
  for (const attribute of attributes) {
    const name = attributeOf(attribute, 'Name')
    demand(name && name !== '__proto__', 'attributes')
    const values = childrenOf(attribute, saml, 'AttributeValue').filter(({ children }) => mapped.has(name) || children.length === 0)
    // Some providers tell a list as one attribute, some as several of one name.
    told.set(name, [...(told.get(name) ?? []), ...values.map(value => textOf(value).trim())])
    demand((told.get(name)?.length ?? 0) <= maxValues, 'attributes')
  }
  return told
}

const valuesOf = (told: Told, names: readonly string[]): readonly string[] => names.flatMap(name => told.get(name) ?? []).filter(value => value !== '')

const fullName = (told: Told, mapped: SamlSettings['attributes']): string | undefined => {
  const parts = [mapped.given_name, mapped.family_name].flatMap(names => valuesOf(told, names).slice(0, 1))
  return parts.length === 0 ? undefined : parts.join(' ')
}
