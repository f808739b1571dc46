// The operations that finish a sign-in by a second factor, and that prove oneself once more.
import { z } from 'zod'
import { codeFactors } from '../mfa/authenticator.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { text } from '../platform/http/text.ts'
import { type Session, sessionOutput, toSessionOutput } from '../sessions/session.ts'
import type { UserAdministration } from '../users/administration.ts'
import { toUserOutput, type User, userIdOf, userOutput } from '../users/user.ts'
import type { ApiSignIn } from './api-sign-in.ts'
import { mustTakePasswords } from './authentication.ts'
import type { Reauthentication } from './reauthentication.ts'

interface Needs {
  readonly apiSignIn: ApiSignIn
  readonly reauthentication: Reauthentication
  readonly userAdministration: UserAdministration
  readonly config: { readonly signInMethods: readonly string[] }
}

const factor = z.enum(codeFactors)
const code = text(100).min(1)

/** A session that began, as it is told. */
export const begunOutput = z.object({ token: z.string(), session: sessionOutput, user: userOutput })

/** Turns one into what {@link begunOutput} lets through. */
export const toBegunOutput = ({ token, session, user }: { token: string; session: Session; user: User }): z.input<typeof begunOutput> => ({
  token,
  session: toSessionOutput(session, session.sid),
  user: toUserOutput(user),
})

/** Makes the routes. */
export const createSecondFactorRoutes = ({ apiSignIn, reauthentication, userAdministration, config }: Needs): readonly Route[] => [
  route({
    method: 'POST',
    path: '/auth/mfa',
    summary: 'Finishes a sign-in by a second factor and begins a session; its token is told only here.',
    body: z.strictObject({ ticket: text(100).min(1), factor, code }),
    output: begunOutput,
    handle: async ({ actor, body }) => ({ data: toBegunOutput(await apiSignIn.finish(actor, body)) }),
  }),
  route({
    method: 'POST',
    path: '/auth/reauthenticate',
    summary: 'Proves the caller once more, for what needs a recent proof: by a code of their second factor, or by the password where they have none.',
    permission: 'signed_in',
    body: z.union([z.strictObject({ factor, code }), z.strictObject({ password: text(2048).min(1) })]),
    output: done,
    handle: async ({ actor, body }) => {
      if ('password' in body) mustTakePasswords(config)
      await reauthentication.prove(actor, { user: await userAdministration.get(userIdOf(actor)), by: body })
      return { data: null }
    },
  }),
]
