// Which prompt is next: the account, the sign-in, the organization, the second factor or its enrolment, consent.
import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider'
import { askedAcr, isUnattainable } from './acr.ts'
import { consentDetails } from './asked-consent.ts'
import { type AskedOrganizations, notAvailable } from './asked-organization.ts'
import { scopeMissing } from './asked-scope.ts'
import { type ConfinementNeeds, isBeyondSession } from './confinement.ts'
import type { Demands, NextProof } from './demands.ts'
import { secondsElsewhere } from './proven-at.ts'

const { Check, Prompt, base } = interactionPolicy

// What a sign-in may fail to give; asking for the same again would go on for ever.
const subjects = new Set(['id_token_hint', 'claims_id_token_sub_value'])
// The engine compares the class of the session with what is asked; ours know how classes relate.
const engineClasses = ['essential_acrs', 'essential_acr']
// Whoever finds a browser open must not enrol a factor of their own in it.
const enrolmentSeconds = 300

/**
 * The engine's prompts, and between sign-in and consent our `organization` and `mfa`: an organization may require a second factor. Who is signed in as a user that is gone or suspended is asked
 * to sign in. A demand that the sign-in just made does not meet is a failed authentication (OpenID Connect Core §5.5.1.1, §3.1.2.2).
 */
export const createPolicy = (needs: Needs): interactionPolicy.DefaultPolicy => {
  const policy = base()
  const { askedOrganizations } = needs
  // OpenID Connect Core §3.1.2.1: one session holds one account, so choosing another is signing in.
  policy.add(new Prompt({ name: 'select_account', requestable: true }, scopeMissing()), 0)
  const login = policy.get('login')
  for (const reason of engineClasses) login?.checks.remove(reason)
  for (const one of login?.checks ?? []) {
    if (!subjects.has(one.reason)) continue
    const { check } = one
    one.check = async ctx => {
      await understandHint(ctx)
      const isUnmet = await check(ctx)
      if (isUnmet && ctx.oidc.result?.login) throw new errors.UnmetAuthenticationRequirements(one.description)
      return isUnmet
    }
  }
  login?.checks.add(
    new Check('account_missing', 'the signed-in user is not available any more', 'login_required', ctx =>
      ctx.oidc.session?.accountId && !ctx.oidc.account ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
    ),
  )
  login?.checks.add(unattainableClass())
  login?.checks.add(longAgoElsewhere())
  login?.checks.add(beyondSession(needs))
  login?.checks.add(
    new Check('enrolment_stale', 'a second factor is enrolled only after a fresh sign-in', 'login_required', async ctx => {
      if (ctx.oidc.result?.login || !ctx.oidc.session?.past(enrolmentSeconds)) return Check.NO_NEED_TO_PROMPT
      return (await nextOf(needs, ctx)) === 'enrolment' ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT
    }),
  )
  policy.add(new Prompt({ name: 'organization', requestable: false }, organizationChoice(askedOrganizations)), 2)
  policy.add(new Prompt({ name: 'mfa', requestable: false }, secondFactor(needs)), 3)
  Object.assign(policy.get('consent') ?? {}, { details: consentDetails(askedOrganizations) })
  return policy
}

/** What the policy asks. */
export interface Needs extends ConfinementNeeds {
  readonly demands: Demands
  readonly askedOrganizations: AskedOrganizations
}

// The engine reads the hint of the request that begins, and knows of none after a page or on a device; nor does it mind that the hint expired meanwhile.
const understandHint = async ({ oidc }: KoaContextWithOIDC) => {
  const hint = oidc.params?.id_token_hint
  if (typeof hint !== 'string' || oidc.entities.IdTokenHint || !oidc.client) return
  const validated = await oidc.provider.IdToken.validate(hint, oidc.client).catch((cause: unknown) => {
    // Its key may have been revoked since.
    throw cause instanceof errors.OIDCProviderError ? cause : new errors.InvalidRequest('could not validate id_token_hint', undefined, { cause })
  })
  oidc.entity('IdTokenHint', validated)
}

// Only who is signed in is told, and all alike (RFC 6749 §4.1.2.1).
const organizationChoice = (askedOrganizations: AskedOrganizations) =>
  new Check('organization_undecided', 'the End-User has to choose an organization', 'interaction_required', async ctx => {
    if (!ctx.oidc.session?.accountId || !ctx.oidc.account) return Check.NO_NEED_TO_PROMPT
    const { kind } = await askedOrganizations.find(ctx)
    if (kind === 'refused') throw notAvailable()
    const shutOut = await askedOrganizations.findShutOut(ctx)
    if (shutOut) throw shutOut
    return kind === 'undecided' ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT
  })

const unattainableClass = () =>
  new Check('unattainable_acr', 'none of the requested ACRs can be given', ctx => {
    if (isUnattainable(askedAcr(ctx.oidc.params))) throw new errors.UnmetAuthenticationRequirements('none of the requested ACRs can be given')
    return Check.NO_NEED_TO_PROMPT
  })

// The engine takes any sign-in that was just made for one of now (OpenID Connect Core §3.1.2.1: `max_age` is of the authentication).
const longAgoElsewhere = () =>
  new Check('max_age', 'End-User authentication could not be obtained', 'login_required', ({ oidc }) => {
    const { maxAge, loginTs } = { maxAge: oidc.params?.max_age, loginTs: oidc.session?.loginTs }
    const isLongAgo = maxAge !== undefined && secondsElsewhere(loginTs) > Number(maxAge)
    return isLongAgo ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT
  })

const beyondSession = (needs: Needs) =>
  new Check('session_confined', 'the End-User has to sign in another way', 'login_required', async ctx => {
    if (!(await isBeyondSession(needs, ctx))) return Check.NO_NEED_TO_PROMPT
    if (ctx.oidc.result?.login) throw new errors.UnmetAuthenticationRequirements('the sign-in is good for another organization alone')
    return Check.REQUEST_PROMPT
  })

const secondFactor = (needs: Needs) =>
  new Check('second_factor_missing', 'a second factor is required of the End-User', 'interaction_required', async ctx =>
    (await nextOf(needs, ctx)) === undefined ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT,
  )

const nextOf = async ({ demands, askedOrganizations }: Needs, ctx: KoaContextWithOIDC): Promise<NextProof | undefined> => {
  const { oidc } = ctx
  const { session, client, account } = oidc
  // The sign-in itself asks for the factor of whoever has one; without an account it is the sign-in that is missing.
  if (!session?.accountId || !client || !account) return undefined
  const asked = await askedOrganizations.find(ctx)
  return demands.next({
    userId: session.accountId,
    amr: session.amr ?? [],
    isSigningIn: false,
    clientId: client.clientId,
    organizationId: asked.kind === 'one' ? asked.membership.organizationId : undefined,
    params: oidc.params ?? {},
  })
}
