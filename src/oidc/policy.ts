// Which prompt is next: the engine's own order, with what it lacks.
import { interactionPolicy } from 'oidc-provider'

const { Check, base } = interactionPolicy

/** The engine's prompts; and who is signed in as a user that is gone or suspended is asked to sign in. */
export const createPolicy = (): interactionPolicy.DefaultPolicy => {
  const policy = base()
  policy
    .get('login')
    ?.checks.add(
      new Check('account_missing', 'the signed-in user is not available any more', 'login_required', ctx =>
        ctx.oidc.session?.accountId && !ctx.oidc.account ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
      ),
    )
  return policy
}
