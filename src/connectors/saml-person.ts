// Who an assertion is about: read from signed bytes alone, text as a whole or not at all.
import type { UpstreamIdentity } from './connector.ts'
import { subjectOf } from './saml-assertion.ts'
import { saml } from './saml-gate.ts'
import { demand } from './saml-refusal.ts'
import type { SamlSettings } from './saml-settings.ts'
import { attributeOf, childrenOf, textOf, type XmlElement } from './saml-xml.ts'

const formats = 'urn:oasis:names:tc:SAML:'
const emailFormat = `${formats}1.1:nameid-format:emailAddress`
const asked = { unspecified: undefined, persistent: `${formats}2.0:nameid-format:persistent`, email: emailFormat }
// A name of one sign-in alone, or of a machine: nobody is known by it the next time.
const fleeting = [`${formats}2.0:nameid-format:transient`, `${formats}2.0:nameid-format:entity`, `${formats}2.0:nameid-format:encrypted`]
const maxAttributes = 200
const maxValues = 1000
const maxSubject = 255

type Told = ReadonlyMap<string, readonly string[]>

/** The format of names that the provider is asked for; `null` leaves it to the provider. */
export const nameIdFormat = (settings: SamlSettings): string | null => asked[settings.name_id_format] ?? null

/** Reads it. Throws a refusal. */
export const readPerson = (assertion: XmlElement, settings: SamlSettings): Omit<UpstreamIdentity, 'authenticatedAt'> => {
  const { attributes: mapped } = settings
  const [nameId] = childrenOf(subjectOf(assertion), saml, 'NameID')
  demand(nameId, 'subject')
  const format = attributeOf(nameId, 'Format')
  const told = readAttributes(assertion)
  const subject = mapped.subject === undefined ? lasting(textOf(nameId), format, settings) : only(told, mapped.subject)
  demand(isKey(subject), mapped.subject === undefined ? 'name_id' : 'attributes')
  const email = firstOf(told, mapped.email) ?? (format === emailFormat ? textOf(nameId).trim() : undefined)
  const isVerified = mapped.email_verified === undefined ? settings.is_email_verified : told.get(mapped.email_verified)?.join() === 'true'
  const groups = mapped.groups.flatMap(name => told.get(name) ?? [])
  return {
    subject,
    ...(email === undefined ? {} : { email }),
    isEmailVerified: email !== undefined && isVerified,
    name: firstOf(told, mapped.name) ?? fullName(told, mapped),
    claims: {
      ...Object.fromEntries([...told].map(([name, values]) => [name, values.length === 1 ? values[0] : values])),
      name_id: textOf(nameId),
      ...(format === undefined ? {} : { name_id_format: format }),
      groups: [...new Set(groups)],
    },
  }
}

const lasting = (name: string, format: string | undefined, settings: SamlSettings): string => {
  const wanted = nameIdFormat(settings)
  demand(!fleeting.includes(format ?? ''), 'name_id')
  demand(wanted === null || format === wanted, 'name_id')
  return name
}

// What is shown and compared has to be what is meant: no white space around it, nothing that is not seen.
const isKey = (text: string): boolean => text.length > 0 && text.length <= maxSubject && text === text.trim() && !/[\p{C}\p{Zl}\p{Zp}]/u.test(text)

const readAttributes = (assertion: XmlElement): Told => {
  const told = new Map<string, string[]>()
  const attributes = childrenOf(assertion, saml, 'AttributeStatement').flatMap(statement => childrenOf(statement, saml, 'Attribute'))
  demand(attributes.length <= maxAttributes, 'attributes')
  for (const attribute of attributes) {
    const name = attributeOf(attribute, 'Name')
    demand(name && name !== '__proto__', 'attributes')
    const values = childrenOf(attribute, saml, 'AttributeValue').filter(value => !isName(value))
    // Some providers tell a list as one attribute, some as several of one name.
    told.set(name, [...(told.get(name) ?? []), ...values.map(value => textOf(value).trim())])
    demand((told.get(name)?.length ?? 0) <= maxValues, 'attributes')
  }
  return told
}

// eduPersonTargetedID is a NameID inside a value: no text, and none of what we read.
const isName = ({ children, text }: XmlElement): boolean =>
  children.length === 1 && children[0]?.name === 'NameID' && children[0].namespace === saml && text.trim() === ''

const only = (told: Told, name: string): string => {
  const values = told.get(name) ?? []
  demand(values.length === 1, 'attributes')
  return values[0] ?? ''
}

const firstOf = (told: Told, names: readonly string[]): string | undefined => names.flatMap(name => told.get(name) ?? []).find(value => value !== '')

const fullName = (told: Told, mapped: SamlSettings['attributes']): string | undefined => {
  const parts = [firstOf(told, mapped.given_name), firstOf(told, mapped.family_name)].filter(part => part !== undefined)
  return parts.length === 0 ? undefined : parts.join(' ')
}
