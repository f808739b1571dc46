// What consent is asked for: what the person has not granted yet, or with `prompt=consent` all that the request asks.

import type { KoaContextWithOIDC, PromptDetail } from 'oidc-provider'
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
/** The details of the prompt, as the interaction has them. */
export const detailsSchema = z.object({
  newGrantId: z.string().optional(),
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
