// What consent is asked for: what the person has not granted yet, or with `prompt=consent` all that the request asks.

import type Provider from 'oidc-provider'
import type { Grant, KoaContextWithOIDC, PromptDetail } from 'oidc-provider'
import { z } from 'zod'
import type { AskedOrganizations } from './asked-organization.ts'
import { nextGrantId } from './session-grants.ts'

/** Scopes, claims, and scopes by resource. */
export interface AskedConsent {
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  readonly resources: Readonly<Record<string, readonly string[]>>
}

/** The claims that nobody is asked about: every client has them. */
export const unaskedClaims: ReadonlySet<string> = new Set(['sub', 'sid', 'auth_time', 'acr', 'amr', 'iss'])

/** Makes the details of the engine's prompt: the organization that the consent is for, the grant that it begins, and all that is asked. */
export const consentDetails = (askedOrganizations: AskedOrganizations) => async (ctx: KoaContextWithOIDC) => {
  const { oidc } = ctx
  const asked = await askedOrganizations.find(ctx)
  const organizationId = asked.kind === 'one' ? asked.membership.organizationId : undefined
  const resources = Object.entries(oidc.resourceServers ?? {})
    .map(([indicator, { scopes }]) => [indicator, [...oidc.requestParamScopes].filter(scope => scopes.has(scope))] as const)
    .filter(([, scopes]) => scopes.length > 0)
  return {
    newGrantId: oidc.session && oidc.client && nextGrantId(oidc.session, { clientId: oidc.client.clientId, organizationId }),
    organization: asked.kind === 'one' ? { id: asked.membership.organizationId, name: asked.membership.name } : undefined,
    all: {
      scopes: [...oidc.requestParamOIDCScopes],
      claims: [...oidc.requestParamClaims].filter(claim => !unaskedClaims.has(claim)),
      resources: Object.fromEntries(resources),
    },
  }
}

const names = z.array(z.string()).default([])
const byResource = z.record(z.string(), z.array(z.string())).default({})
const detailsSchema = z.object({
  newGrantId: z.string().optional(),
  organization: z.object({ id: z.string(), name: z.string() }).optional(),
  all: z.object({ scopes: names, claims: names, resources: byResource }).default({ scopes: [], claims: [], resources: {} }),
  missingOIDCScope: names,
  missingOIDCClaims: names,
  missingResourceScopes: byResource,
})

/** The organization that the consent is for. */
export const organizationOf = ({ details }: Pick<PromptDetail, 'details'>) => detailsSchema.parse(details).organization

interface Consenting {
  readonly prompt: Pick<PromptDetail, 'details'>
  readonly accountId: string
  readonly clientId: string
  /** The grant that the session has. */
  readonly known: Grant | undefined
  readonly sessionUid: string | undefined
}

/** Keeps what was consented to: in the session's grant, or in the one that all consents of the session for this begin alike. */
export const keepConsent = async (provider: Provider, { prompt, accountId, clientId, known, sessionUid }: Consenting) => {
  const { newGrantId, organization } = detailsSchema.parse(prompt.details)
  const isOwn = (grant: Grant | undefined) => grant?.accountId === accountId && grant.clientId === clientId && grant.organizationId === organization?.id
  const make = (jti?: string) => {
    const made = new provider.Grant({ accountId, clientId })
    if (jti !== undefined) made.jti = jti
    if (sessionUid !== undefined) made.sessionUid = sessionUid
    if (organization) made.organizationId = organization.id
    return made
  }
  const begun = known === undefined && newGrantId !== undefined ? await provider.Grant.find(newGrantId) : known
  const grant = begun && isOwn(begun) ? begun : make(newGrantId)
  const scopes = addTo(grant, prompt)
  const grantId = await grant.save()
  // One that ended is not kept again, and another takes its place.
  if (await provider.Grant.find(grantId)) return { grantId, scopes, organizationId: organization?.id }
  const other = make()
  addTo(other, prompt)
  return { grantId: await other.save(), scopes, organizationId: organization?.id }
}

/** What the page shows. */
export const shownOf = ({ details, reasons }: Pick<PromptDetail, 'details' | 'reasons'>): AskedConsent => {
  const { all, ...missing } = detailsSchema.parse(details)
  const isNew = missing.missingOIDCScope.length + missing.missingOIDCClaims.length + Object.keys(missing.missingResourceScopes).length > 0
  if (!isNew || reasons.includes('consent_prompt')) return all
  return { scopes: missing.missingOIDCScope, claims: missing.missingOIDCClaims, resources: missing.missingResourceScopes }
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
