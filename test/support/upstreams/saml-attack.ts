// One attack on the SAML connector: how a good answer is turned into it, and by which rule it has to be refused.
import { randomUUID } from 'node:crypto'
import type { Answer } from '../../../src/connectors/connector.ts'
import type { SamlReason } from '../../../src/connectors/saml-refusal.ts'
import type { SamlSettings } from '../../../src/connectors/saml-settings.ts'
import { type Identity, makeIdentity } from './certificate.ts'
import { type Said, type Signing, type Signs, signResponse, writeResponse } from './saml-document.ts'

/** Who takes part. */
export interface Cast {
  readonly provider: Identity
  readonly attacker: Identity
  /** Whom the connection believes as well. */
  readonly others: readonly Identity[]
}

/** What an attack has at hand. */
export interface Scene extends Cast {
  readonly said: Said
  readonly state: string
  /** A second answer of the provider, signed like the first. */
  readonly another: (said: Partial<Said>) => string
}

/** An attack. */
export interface Attack {
  /** With the row of the security plan that it belongs to in front. */
  readonly name: string
  readonly reason: SamlReason
  readonly signs?: Signs
  /** Signs as these do, or with another's key. */
  readonly signing?: Signing
  readonly by?: 'provider' | 'attacker'
  readonly settings?: Partial<Record<keyof SamlSettings, unknown>>
  /** Whether the connection pins more certificates than the one of the provider. */
  readonly hasManyCertificates?: boolean
  /** Changes what the provider says, so that it is signed. */
  readonly prepare?: (xml: string, scene: Scene) => string
  /** Changes what was signed. */
  readonly alter?: (xml: string, scene: Scene) => string
  /** Changes how the browser brings it. */
  readonly bring?: (form: { readonly message: string; readonly state: string; readonly xml: string }) => Answer
}

/** Makes those who take part. */
export const makeCast = (): Cast => ({
  provider: makeIdentity({ name: 'provider' }),
  attacker: makeIdentity({ name: 'attacker' }),
  others: ['one', 'two', 'three'].map(name => makeIdentity({ name })),
})

/** The answer of a browser that does nothing wrong. */
export const post = (fields: Readonly<Record<string, string>>): Answer => ({ method: 'POST', query: '', body: new URLSearchParams(fields).toString() })

/** Makes the answer of the attack, or of the same answer without it. */
export const stage = (attack: Attack, cast: Cast, base: Omit<Said, 'responseId' | 'assertionId'>, state: string, isAttacked: boolean): Answer => {
  const { signs = 'assertion' } = attack
  const unique = () => `_${randomUUID().replaceAll('-', '')}`
  const said: Said = { ...base, responseId: unique(), assertionId: unique() }
  const another = (other: Partial<Said>) =>
    signResponse(writeResponse({ ...said, responseId: unique(), assertionId: unique(), ...other }), cast.provider, signs)
  const scene: Scene = { ...cast, said, state, another }
  const change = (xml: string, by: Attack['alter']) => {
    if (!isAttacked || !by) return xml
    const changed = by(xml, scene)
    if (changed === xml) throw new Error(`«${attack.name}» changes nothing.`)
    return changed
  }
  const signer = cast[(isAttacked && attack.by) || 'provider']
  const signed = signResponse(change(writeResponse(said), attack.prepare), signer, signs, isAttacked ? attack.signing : {})
  const xml = change(signed, attack.alter)
  const message = Buffer.from(xml).toString('base64')
  return isAttacked && attack.bring ? attack.bring({ message, state, xml }) : post({ SAMLResponse: message, RelayState: state })
}

/** A replacement in a document, as an attack makes it. */
export const swap =
  (from: string | RegExp, to: string): NonNullable<Attack['alter']> =>
  xml =>
    xml.replace(from, () => to)
