// What consent is asked for: what the person has not granted yet, or with `prompt=consent` all that the request asks.
import type { Grant, KoaContextWithOIDC, PromptDetail } from 'oidc-provider'
import { z } from 'zod'
import type { AskedOrganizations } from './asked-organization.ts'

/** Scopes, claims, and scopes by resource. */
export interface AskedConsent {
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  readonly resources: Readonly<Record<string, readonly string[]>>
}

const always = new Set(['sub', 'sid', 'auth_time', 'acr', 'amr', 'iss'])

/** Makes the details of the engine's prompt: the organization that the consent is for, and all that is asked. */
export const consentDetails = (askedOrganizations: AskedOrganizations) => async (ctx: KoaContextWithOIDC) => {
  const { oidc } = ctx
  const asked = await askedOrganizations.find(ctx)
  const resources = Object.entries(oidc.resourceServers ?? {})
    .map(([indicator, { scopes }]) => [indicator, [...oidc.requestParamScopes].filter(scope => scopes.has(scope))] as const)
    .filter(([, scopes]) => scopes.length > 0)
  return {
    organization: asked.kind === 'one' ? { id: asked.membership.organizationId, name: asked.membership.name } : undefined,
    all: {
      scopes: [...oidc.requestParamOIDCScopes],
      claims: [...oidc.requestParamClaims].filter(claim => !always.has(claim)),
      resources: Object.fromEntries(resources),
    },
  }
}

const names = z.array(z.string()).default([])
const byResource = z.record(z.string(), z.array(z.string())).default({})
const detailsSchema = z.object({
  organization: z.object({ id: z.string(), name: z.string() }).optional(),
  all: z.object({ scopes: names, claims: names, resources: byResource }).default({ scopes: [], claims: [], resources: {} }),
  missingOIDCScope: names,
  missingOIDCClaims: names,
  missingResourceScopes: byResource,
})

/** The organization that the consent is for. */
export const organizationOf = ({ details }: Pick<PromptDetail, 'details'>) => detailsSchema.parse(details).organization

/** What the page shows. */
export const shownOf = ({ details, reasons }: Pick<PromptDetail, 'details' | 'reasons'>): AskedConsent => {
  const { all, ...missing } = detailsSchema.parse(details)
  const isNew = missing.missingOIDCScope.length + missing.missingOIDCClaims.length + Object.keys(missing.missingResourceScopes).length > 0
  if (!isNew || reasons.includes('consent_prompt')) return all
  return { scopes: missing.missingOIDCScope, claims: missing.missingOIDCClaims, resources: missing.missingResourceScopes }
}

/** Adds to a grant what it lacks of what was shown; answers the scopes. */
export const addTo = (grant: Grant, { details }: Pick<PromptDetail, 'details'>): string[] => {
  const { missingOIDCScope: scopes, missingOIDCClaims: claims, missingResourceScopes } = detailsSchema.parse(details)
  const resources = Object.entries(missingResourceScopes)
  if (scopes.length > 0) grant.addOIDCScope(scopes.join(' '))
  if (claims.length > 0) grant.addOIDCClaims(claims)
  for (const [indicator, asked] of resources) grant.addResourceScope(indicator, asked.join(' '))
  return [...scopes, ...resources.flatMap(([, asked]) => asked)]
}
