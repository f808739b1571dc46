// All hosted pages that people come to by a browser, each group by its router.
import type Router from '@koa/router'
import { createCallbackRouter } from './callback.ts'
import type { PageNeeds } from './interaction.ts'
import { createRecoveryRouter } from './recovery.ts'
import { createInteractionRouter } from './router.ts'
import { createSignUpGate, type GateNeeds } from './sign-up-gate.ts'
import { createVerificationRouter } from './verification.ts'

type Needs = Omit<PageNeeds, 'signUpGate'> & GateNeeds & { readonly newId: () => string }

/** Makes them. */
export const createInteractionRouters = (given: Needs): readonly Router[] => {
  const needs = { ...given, signUpGate: createSignUpGate(given) }
  return [createCallbackRouter(needs), createInteractionRouter(needs), createRecoveryRouter(needs), createVerificationRouter(needs)]
}
