// The operations by which people prove their address and choose a new password: who asks is told nothing about whose address it is.
import { z } from 'zod'
import type { Actor } from '../platform/actor.ts'
import { Problem } from '../platform/errors.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { text } from '../platform/http/text.ts'
import type { Users } from '../users/users.ts'
import { mustTakePasswords } from './authentication.ts'
import type { EmailVerification } from './email-verification.ts'
import type { Proofs } from './proofs.ts'
import type { Recovery } from './recovery.ts'

interface Needs {
  readonly proofs: Proofs
  readonly recovery: Recovery
  readonly emailVerification: EmailVerification
  readonly users: Users
  readonly config: { readonly signInMethods: readonly string[] }
}

const email = text(320).trim().min(1)
const token = text(200).min(1)

/** Makes the routes. */
export const createRecoveryRoutes = ({ proofs, recovery, emailVerification, users, config }: Needs): readonly Route[] => [
  route({
    method: 'POST',
    path: '/auth/password/forgot',
    summary: 'Mails a link for a new password, if there is an account with this address.',
    body: z.strictObject({ email }),
    output: done,
    status: 202,
    handle: async ({ actor, body }) => {
      mustTakePasswords(config)
      await proofs.ask(actor, { purpose: 'password_reset', email: body.email })
      return { data: null }
    },
  }),
  route({
    method: 'POST',
    path: '/auth/password/reset',
    summary: 'Sets a new password by the token of a mailed link, and ends every session and token. Signs nobody in.',
    body: z.strictObject({ token, password: text(2048) }),
    output: done,
    handle: async ({ actor, body }) => {
      mustTakePasswords(config)
      await recovery.reset(actor, body)
      return { data: null }
    },
  }),
  route({
    method: 'POST',
    path: '/auth/email/verify',
    summary: 'Proves an address: by the code of the mail in a session of the user, or by the token of its link.',
    body: z
      .strictObject({ code: text(20).min(1).optional(), token: token.optional() })
      .refine(({ code, token }) => (code === undefined) !== (token === undefined), 'takes a code or a token'),
    output: done,
    handle: async ({ actor, body }) => {
      // Who hands a token to the API does so on purpose, and keeps the password that was chosen; the page, where people click, asks for it.
      if (body.token !== undefined) await emailVerification.verifyLink(actor, { token: body.token, isOwner: true })
      else await emailVerification.verifyCode(actor, { userId: inSession(actor), code: body.code ?? '' })
      return { data: null }
    },
  }),
  route({
    method: 'POST',
    path: '/auth/email/resend',
    summary: 'Mails a new code and link to prove an address, if there is an account that needs it; the caller’s own where none is named.',
    body: z.strictObject({ email: email.optional() }),
    output: done,
    status: 202,
    handle: async ({ actor, body }) => {
      const address = body.email ?? (await users.find(inSession(actor)))?.email
      if (address !== undefined) await proofs.ask(actor, { purpose: 'email_verification', email: address })
      return { data: null }
    },
  }),
]

const inSession = ({ kind, userId, sessionId }: Actor): string => {
  if (kind === 'anonymous') throw new Problem('unauthenticated')
  // What an app or a key was given to do is never to be the person themselves.
  if (userId === undefined || sessionId === undefined) throw new Problem('forbidden')
  return userId
}
