// All hosted pages that people come to by a browser, each group by its router.
import type Router from '@koa/router'
import type { PageNeeds } from './interaction.ts'
import { createRecoveryRouter } from './recovery.ts'
import { createInteractionRouter } from './router.ts'
import { createVerificationRouter } from './verification.ts'

/** Makes them. */
export const createInteractionRouters = (needs: PageNeeds & { readonly newId: () => string }): readonly Router[] => [
  createInteractionRouter(needs),
  createRecoveryRouter(needs),
  createVerificationRouter(needs),
]
