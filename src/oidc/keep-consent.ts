// Keeps what a person consented to: the grant and the event that tells of it, in one change, while their sign-in still counts.
import type { Grant, PromptDetail } from 'oidc-provider'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import { Problem } from '../platform/errors.ts'
import { detailsSchema } from './asked-consent.ts'
import { isGateOpen, putGrantIn, toNewGrant } from './grant-in-change.ts'
import type { Engine } from './provider.ts'

/** A consent that was given. */
export interface Consenting {
  readonly prompt: Pick<PromptDetail, 'details'>
  readonly accountId: string
  readonly clientId: string
  /** The grant that the session has. */
  readonly grantId: string | undefined
  readonly sid: string
}

/** Makes it: in the session's grant, or in the one that all consents of the session for this begin alike. Throws `interaction_expired` where the session has ended. */
export const createKeepConsent =
  ({ engine, change }: { readonly engine: Engine; readonly change: Change }) =>
  async (actor: Actor, { prompt, accountId, clientId, grantId, sid }: Consenting): Promise<{ grantId: string; organizationId: string | undefined }> => {
    const provider = engine.current()
    const { newGrantId, organization } = detailsSchema.parse(prompt.details)
    const isOwn = (grant: Grant) => grant.accountId === accountId && grant.clientId === clientId && grant.organizationId === organization?.id
    const make = (jti?: string) => {
      const made = new provider.Grant({ accountId, clientId })
      if (jti !== undefined) made.jti = jti
      made.sessionUid = sid
      if (organization) made.organizationId = organization.id
      return made
    }
    const find = async (id: string | undefined) => (id === undefined ? undefined : provider.Grant.find(id))
    const begun = (await find(grantId)) ?? (await find(newGrantId))
    const grant = begun && isOwn(begun) ? begun : make(newGrantId)
    // One that ended is not kept again, and another takes its place.
    const other = make()
    const scopes = addTo(grant, prompt)
    addTo(other, prompt)
    const [wanted, instead] = [await toNewGrant(provider, grant), await toNewGrant(provider, other)]
    const organizationId = organization?.id
    return change({ ...actor, kind: 'user', id: accountId }, async (tx, record) => {
      // Who is asked is signed in by a session that is listed: it goes by that, and not by how young the sign-in is.
      if (!(await isGateOpen(tx, { accountId, sid, provenAt: new Date(0) }))) throw new Problem('interaction_expired')
      record('consent.granted', { client_id: clientId, scopes, organization_id: organizationId })
      if (await putGrantIn(tx, wanted)) return { grantId: wanted.id, organizationId }
      await putGrantIn(tx, instead)
      return { grantId: instead.id, organizationId }
    })
  }

// Adds to a grant what it lacks of what was shown.
const addTo = (grant: Grant, { details }: Pick<PromptDetail, 'details'>): string[] => {
  const { missingOIDCScope: scopes, missingOIDCClaims: claims, missingResourceScopes } = detailsSchema.parse(details)
  const resources = Object.entries(missingResourceScopes)
  if (scopes.length > 0) grant.addOIDCScope(scopes.join(' '))
  if (claims.length > 0) grant.addOIDCClaims(claims)
  for (const [indicator, asked] of resources) grant.addResourceScope(indicator, asked.join(' '))
  return [...scopes, ...resources.flatMap(([, asked]) => asked)]
}
