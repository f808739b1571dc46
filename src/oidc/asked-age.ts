// Keeps `max_age=0` where a request is made that a person answers later: the engine makes `prompt=login` of it, which does not always arrive there.
import type { KoaContextWithOIDC } from 'oidc-provider'

/** Puts it back (OpenID Connect Core §3.1.2.1, RFC 9470 §5). The engine asks it of each such request, after it has looked at `max_age` and `prompt`. */
export const keepZeroAge = ({ oidc }: KoaContextWithOIDC): void => {
  const { route, prompts, params } = oidc
  if (!params || !prompts.has('login')) return
  // On a device `prompt` is no parameter, so there it is of `max_age` alone.
  if (route === 'device_authorization') Object.assign(params, { max_age: '0', prompt: undefined })
  // Who sends both is refused before, so this is of `max_age` too; read again, it would be refused.
  if (route === 'pushed_authorization_request' && prompts.has('none')) Object.assign(params, { max_age: '0', prompt: 'none' })
}
