// Which prompt is next: the engine's own order, with what it lacks.
import { errors, interactionPolicy } from 'oidc-provider'

const { Check, Prompt, base } = interactionPolicy

// What a sign-in may fail to give; asking for the same again would go on for ever.
const demands = new Set(['id_token_hint', 'claims_id_token_sub_value', 'essential_acrs', 'essential_acr'])

/**
 * The engine's prompts; and who is signed in as a user that is gone or suspended is asked to sign in. A demand that the sign-in
 * just made does not meet is a failed authentication (OpenID Connect Core §5.5.1.1, §3.1.2.2).
 */
export const createPolicy = (): interactionPolicy.DefaultPolicy => {
  const policy = base()
  // OpenID Connect Core §3.1.2.1: one session holds one account, so choosing another is signing in.
  policy.add(new Prompt({ name: 'select_account', requestable: true }), 0)
  for (const one of policy.get('login')?.checks ?? []) {
    if (!demands.has(one.reason)) continue
    const { check } = one
    one.check = async ctx => {
      const isUnmet = await check(ctx)
      if (isUnmet && ctx.oidc.result?.login) throw new errors.UnmetAuthenticationRequirements(one.description)
      return isUnmet
    }
  }
  policy
    .get('login')
    ?.checks.add(
      new Check('account_missing', 'the signed-in user is not available any more', 'login_required', ctx =>
        ctx.oidc.session?.accountId && !ctx.oidc.account ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
      ),
    )
  return policy
}
