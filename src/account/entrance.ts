// The account centre, put together: its pages, its links, its way in.
import type Router from '@koa/router'
import { type AgentsNeeds, createAgentsPage } from './agents.ts'
import { type AuthenticatorNeeds, createAuthenticatorPage } from './authenticator.ts'
import { createDataPage } from './data.ts'
import { createDone } from './done.ts'
import { createIdentitiesPage, type IdentitiesNeeds } from './identities.ts'
import { createInvitationPage, type InvitationNeeds } from './invitation.ts'
import { type AccountNeeds, createAccountPages } from './pages.ts'
import { createCodesToShow, createRecoveryCodesPage } from './recovery-codes.ts'
import { createRequestsPage, type RequestsNeeds } from './requests.ts'
import { createAccountRouter } from './router.ts'
import { createSecurityPage, type SecurityNeeds } from './security.ts'
import { createAccountSignIn } from './sign-in.ts'

type Needs = AccountNeeds &
  InvitationNeeds &
  SecurityNeeds &
  IdentitiesNeeds &
  AgentsNeeds &
  AuthenticatorNeeds &
  Omit<RequestsNeeds, 'accountSignIn'> &
  Parameters<typeof createDataPage>[0] &
  Parameters<typeof createAccountSignIn>[0] &
  Omit<Parameters<typeof createAccountRouter>[0], 'pages' | 'accountSignIn' | 'done' | 'openInvitation'>

/** Puts it together. */
export const createAccount = (needs: Needs): Router => {
  const invitation = createInvitationPage(needs)
  const accountSignIn = createAccountSignIn(needs)
  const codesToShow = createCodesToShow(needs)
  const done = createDone(needs)
  const factorPages = [
    createSecurityPage({ ...needs, codesToShow, done }),
    createAuthenticatorPage({ ...needs, codesToShow }),
    createRecoveryCodesPage({ codesToShow, done }),
  ]
  const pages = [
    ...createAccountPages(needs),
    ...factorPages,
    createIdentitiesPage(needs),
    ...(needs.areAgentsOn ? [createAgentsPage(needs)] : []),
    createRequestsPage({ ...needs, accountSignIn }),
    createDataPage(needs),
    invitation.page,
  ]
  return createAccountRouter({ ...needs, pages, openInvitation: invitation.open, accountSignIn, done })
}
