// What we change of the engine's endpoints: each is a list of steps, the same for all engines of a process and taken over when one is made.
import type { KoaContextWithOIDC } from 'oidc-provider'

/** A step of an endpoint. */
export type Step = (ctx: KoaContextWithOIDC, next: () => Promise<unknown>) => unknown

/**
 * Puts ours where theirs stands, once however often it is called; call before an engine is made. Throws where theirs stands no more: then the engine's
 * new release must be read again.
 */
export const replaceStep = (steps: Step[], theirs: Step | undefined, ours: Step): void => {
  if (steps.includes(ours)) return
  const at = theirs === undefined ? -1 : steps.indexOf(theirs)
  if (at < 0) throw new Error(`the engine has no step in the place of ${ours.name}`)
  steps[at] = ours
}
