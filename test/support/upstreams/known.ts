// The providers of the world that tests know: Google, and Microsoft for all tenants, as their documents say they answer.
import { startUpstream, type UpstreamGiven } from './upstream.ts'

/** A tenant of Microsoft's. */
export const tenantId = '6a3d8a5e-3a1f-4f43-9a5c-0b6c3a1f7d10'

/** The tenant of personal accounts. */
export const consumerTenantId = '9188040d-6c67-4c5b-b112-36a304b66dad'

/** Google: tells no `iss` in answers; what is known of a person stands in the ID token. */
export const startGoogle = (given: UpstreamGiven = {}) =>
  startUpstream({ issuer: 'https://accounts.google.com', isIssuerTold: false, authMethod: 'client_secret_post', ...given })

/** Microsoft for a tenant or for many: its metadata name a template, its ID tokens the tenant. */
export const startMicrosoft = ({ tenant = 'common', ...given }: UpstreamGiven & { readonly tenant?: string } = {}) =>
  startUpstream({
    issuer: `https://login.microsoftonline.com/${tenant}/v2.0`,
    isIssuerTold: false,
    authMethod: 'client_secret_post',
    metadata: { issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0', code_challenge_methods_supported: undefined },
    ...given,
    person: {
      ...given.person,
      idToken: { iss: `https://login.microsoftonline.com/${tenantId}/v2.0`, tid: tenantId, ver: '2.0', ...given.person?.idToken },
    },
  })
