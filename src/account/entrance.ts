// The account centre, put together: its pages, its links, its way in.
import type Router from '@koa/router'
import { createDataPage } from './data.ts'
import { type AccountNeeds, createAccountPages } from './pages.ts'
import { createAccountRouter } from './router.ts'
import { createAccountSignIn } from './sign-in.ts'

type Needs = AccountNeeds &
  Parameters<typeof createDataPage>[0] &
  Parameters<typeof createAccountSignIn>[0] &
  Omit<Parameters<typeof createAccountRouter>[0], 'pages' | 'accountSignIn'>

/** Puts it together. */
export const createAccount = (needs: Needs): Router =>
  createAccountRouter({ ...needs, pages: [...createAccountPages(needs), createDataPage(needs)], accountSignIn: createAccountSignIn(needs) })
