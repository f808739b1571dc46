// The operations of signing up, in and out.
import { z } from 'zod'
import { codeFactors } from '../mfa/authenticator.ts'
import { Problem } from '../platform/errors.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { mailedName, text } from '../platform/http/text.ts'
import type { ApiSessions } from '../sessions/api-sessions.ts'
import { toUserOutput, userOutput } from '../users/user.ts'
import type { ApiSignIn } from './api-sign-in.ts'
import { mustTakePasswords } from './authentication.ts'
import { begunOutput, toBegunOutput } from './second-factor-routes.ts'
import type { SignUp } from './sign-up.ts'

interface Needs {
  readonly apiSignIn: ApiSignIn
  readonly signUp: SignUp
  readonly apiSessions: ApiSessions
  readonly config: { readonly isSignUpOpen: boolean; readonly signInMethods: readonly string[] }
}

// Longer than any password that is taken, in UTF-16 units: what is too long is told with the other faults of strength.
const password = text(2048)
const email = text(320).trim().min(1)

const askedOutput = z.object({ mfa_required: z.literal(true), ticket: z.string(), factors: z.array(z.enum(codeFactors)) })

/** Makes the routes. */
export const createAuthRoutes = ({ apiSignIn, signUp, apiSessions, config }: Needs): readonly Route[] => [
  route({
    method: 'POST',
    path: '/auth/register',
    summary: 'Makes a user with a password, and mails a proof of the address.',
    body: z.strictObject({ email, password, full_name: mailedName(200) }),
    output: userOutput,
    status: 201,
    handle: async ({ actor, body }) => {
      mustTakePasswords(config)
      if (!config.isSignUpOpen) throw new Problem('sign_up_closed')
      const user = await signUp.register(actor, { email: body.email, password: body.password, name: body.full_name })
      return { data: toUserOutput(user), version: user.updatedAt }
    },
  }),
  route({
    method: 'POST',
    path: '/auth/login',
    summary: 'Proves a person and begins a session; its token is told only here. Whoever has a second factor is given a ticket for /auth/mfa.',
    body: z.strictObject({ email, password: password.min(1) }),
    output: z.union([begunOutput, askedOutput]),
    handle: async ({ actor, body }) => {
      mustTakePasswords(config)
      const answer = await apiSignIn.begin(actor, body)
      return { data: 'ticket' in answer ? { mfa_required: true as const, ticket: answer.ticket, factors: [...answer.factors] } : toBegunOutput(answer) }
    },
  }),
  route({
    method: 'POST',
    path: '/auth/logout',
    summary: 'Ends the session of the caller.',
    permission: 'signed_in',
    output: done,
    handle: async ({ actor }) => {
      const { userId, sessionId: sid } = actor
      if (userId === undefined || sid === undefined) throw new Problem('forbidden')
      await apiSessions.endOwn(actor, { userId, sid })
      return { data: null }
    },
  }),
]
