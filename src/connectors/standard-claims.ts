// Reads a person from the standard claims of OpenID Connect (Core §5.1).
import type { UpstreamIdentity } from './connector.ts'
import type { ToldDocuments } from './oidc-kind.ts'
import { claimsOf, emailOf, profileOf } from './told-claims.ts'

/** An address and what is said of it come from one document: the ID token where it has one, else userinfo. */
export const identifyStandard = ({ idToken, userinfo }: Pick<ToldDocuments, 'idToken' | 'userinfo'>): Omit<UpstreamIdentity, 'authenticatedAt'> => {
  const source = 'email' in idToken ? idToken : userinfo
  const email = emailOf(source)
  return {
    subject: idToken.sub,
    ...(email === undefined ? {} : { email }),
    // A string «true» is no proof: the claim is a boolean.
    isEmailVerified: email !== undefined && source.email_verified === true,
    ...profileOf(idToken, userinfo),
    ...claimsOf(userinfo, idToken),
  }
}
