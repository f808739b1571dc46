// Google: its ID token says all there is, and it is entitled to speak for Gmail and for the domains of its customers.
import { z } from 'zod'
import type { Connector, ConnectorNeeds } from './connector.ts'
import { domainOf } from './domain-name.ts'
import { clientIdSchema, createOidcKind, type OidcSecrets } from './oidc-kind.ts'
import { identifyStandard } from './standard-claims.ts'

const issuer = 'https://accounts.google.com'
const gmail = new Set(['gmail.com', 'googlemail.com'])

/** The settings of a client of Google. */
export const googleSettings = z.strictObject({
  client_id: clientIdSchema,
  /** The one customer whose people may sign in. */
  hosted_domain: z
    .string()
    .max(253)
    .regex(/^[a-z0-9.-]+\.[a-z0-9-]+$/, 'must be a domain in small letters')
    .optional(),
})

/** The settings of a client of Google. */
export type GoogleSettings = z.output<typeof googleSettings>

/** Makes the connector. */
export const createGoogleConnector = (needs: Pick<ConnectorNeeds, 'fetch' | 'now' | 'randomBytes'>): Connector<GoogleSettings, OidcSecrets> =>
  createOidcKind(needs, {
    id: 'google',
    name: 'Google',
    settings: googleSettings,
    // It knows neither `prompt=login` nor `max_age`.
    isAskedOnce: true,
    authorityOf: () => issuer,
    brandAuthority: issuer,
    asked: ({ client_id: clientId, hosted_domain: hostedDomain }) => ({
      issuer,
      clientId,
      scopes: ['openid', 'email', 'profile'],
      alg: 'RS256',
      authMethod: 'client_secret_post',
      isUserinfoUnasked: true,
      ...(hostedDomain === undefined ? {} : { parameters: { hd: hostedDomain } }),
    }),
    identify: (told, { hosted_domain: hostedDomain }) => {
      const hd = typeof told.idToken.hd === 'string' ? told.idToken.hd.toLowerCase() : undefined
      // The parameter only chooses what its page shows: anybody can leave it out of the address.
      if (hostedDomain !== undefined && hd !== hostedDomain) throw new Error('the person is not of the hosted domain')
      const identity = identifyStandard(told)
      const domain = identity.email === undefined ? undefined : domainOf(identity.email)
      const isEntitled = identity.isEmailVerified && domain !== undefined && (gmail.has(domain) || domain === hd)
      return { ...identity, ...(isEntitled ? { authoritativeDomain: domain } : {}) }
    },
  })
