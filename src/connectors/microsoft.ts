// Microsoft Entra and personal accounts: a person is their tenant and number there; an address is what anybody's administrator wrote.
import { z } from 'zod'
import type { Connector, ConnectorNeeds } from './connector.ts'
import { clientIdSchema, createOidcKind, type OidcSecrets } from './oidc-kind.ts'
import { claimsOf, emailOf, profileOf } from './told-claims.ts'

const origin = 'https://login.microsoftonline.com'
const guid = z.guid().toLowerCase()
const isGuid = (text: string) => guid.safeParse(text).success
const consumers = '9188040d-6c67-4c5b-b112-36a304b66dad'
const ofMany: readonly string[] = ['common', 'organizations', 'consumers']

/** The settings of an application there. */
export const microsoftSettings = z.strictObject({
  client_id: clientIdSchema,
  /** Whose people may sign in: `common`, `organizations`, `consumers`, or the id or a domain of one tenant. */
  tenant: z
    .string()
    .max(253)
    .regex(/^[a-z0-9][a-z0-9.-]*$/, 'must be common, organizations, consumers, or the id or domain of a tenant in small letters')
    .default('common'),
  /** Of these tenants alone, by their ids. */
  allowed_tenants: z
    .array(z.string().regex(/^[0-9a-f-]{36}$/, 'must be ids of tenants'))
    .max(100)
    .optional(),
})

/** The settings of an application there. */
export type MicrosoftSettings = z.output<typeof microsoftSettings>

const person = z.looseObject({ tid: guid, oid: guid, iss: z.string() })

/** Makes the connector. */
export const createMicrosoftConnector = (needs: Pick<ConnectorNeeds, 'fetch' | 'now' | 'randomBytes'>): Connector<MicrosoftSettings, OidcSecrets> =>
  createOidcKind(needs, {
    id: 'microsoft',
    name: 'Microsoft',
    settings: microsoftSettings,
    // People are named with their tenants: whatever tenants are set, nobody is called as another.
    authorityOf: () => origin,
    brandAuthority: origin,
    // Many tenants: a template. One by its domain, or all personal accounts: the tenant's id, which ID tokens are then held to.
    isCalled: (issuer, told) => !isGuid(tenantOf(issuer)) && told === issuerOf(tenantOf(told)) && (tenantOf(told) === '{tenantid}' || isGuid(tenantOf(told))),
    asked: ({ client_id: clientId, tenant }) => ({
      issuer: issuerOf(tenant),
      clientId,
      scopes: ['openid', 'email', 'profile'],
      alg: 'RS256',
      authMethod: 'client_secret_post',
      // Its ID tokens have `auth_time` only where it is claimed.
      parametersAgain: { claims: '{"id_token":{"auth_time":{"essential":true}}}' },
      isUserinfoUnasked: true,
    }),
    identify: ({ idToken, keyIssuers }, settings) => {
      const { tid, oid, iss } = person.parse(idToken)
      if (iss !== issuerOf(tid)) throw new Error('the issuer is of another tenant')
      // Its keys are those of many clouds: one of personal accounts signs for no company.
      if (!keyIssuers.every(told => String(told).replace('{tenantid}', tid) === iss)) throw new Error('the key is of another issuer')
      if (!isAllowed(tid, settings)) throw new Error('the tenant may not sign in')
      const email = emailOf(idToken)
      return {
        subject: `${tid}:${oid}`,
        ...(email === undefined ? {} : { email }),
        // Any tenant writes any address (nOAuth): Microsoft says by this claim alone that the domain's owner was verified, and not always as a boolean.
        isEmailVerified: email !== undefined && isProof(idToken.xms_edov),
        ...profileOf(idToken),
        ...claimsOf(idToken),
      }
    },
  })

const issuerOf = (tenant: string) => `${origin}/${tenant}/v2.0`
const tenantOf = (issuer: string) => issuer.slice(`${origin}/`.length, -'/v2.0'.length)

const isProof = (told: unknown): boolean => told === true || told === 1 || told === '1'

const isAllowed = (tid: string, { tenant, allowed_tenants: allowed }: MicrosoftSettings): boolean => {
  if (allowed && !allowed.includes(tid)) return false
  if (tenant === 'organizations') return tid !== consumers
  if (tenant === 'consumers') return tid === consumers
  return ofMany.includes(tenant) || !isGuid(tenant) || tid === tenant
}
