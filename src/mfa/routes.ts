// The operations on one's own factors.
import { z } from 'zod'
import type { Actor } from '../platform/actor.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { name, text } from '../platform/http/text.ts'
import { svgOf } from '../platform/qr.ts'
import type { RecentProofs } from '../sessions/recent-proofs.ts'
import type { UserAdministration } from '../users/administration.ts'
import { userIdOf } from '../users/user.ts'
import { type AlsoChanged, amrOfCode, authenticatorOutput, toAuthenticatorOutput, withSecondFactor } from './authenticator.ts'
import type { Authenticators } from './authenticators.ts'
import type { RecoveryCodes } from './recovery-codes.ts'
import type { Totps } from './totp.ts'

interface Needs {
  readonly userAdministration: UserAdministration
  readonly authenticators: Authenticators
  readonly totps: Totps
  readonly recoveryCodes: RecoveryCodes
  readonly recentProofs: RecentProofs
}

const permission = 'signed_in'
const factorParams = z.strictObject({ factorId: z.uuid() })
const enrolmentOutput = z.object({
  factor: z.object({ id: z.uuid(), kind: z.string(), name: z.string(), confirmed: z.boolean() }),
  secret: z.string(),
  uri: z.string(),
  qr_svg: z.string(),
})

/** Makes the routes. What adds or takes away a factor needs a proof of the last five minutes. */
export const createFactorRoutes = ({ userAdministration, authenticators, totps, recoveryCodes, recentProofs }: Needs): readonly Route[] => {
  const me = (actor: Actor) => userAdministration.get(userIdOf(actor))
  return [
    route({
      method: 'GET',
      path: '/users/me/factors',
      summary: 'The factors that the caller has enrolled.',
      permission,
      output: z.array(authenticatorOutput),
      handle: async ({ actor }) => ({ data: (await authenticators.list(userIdOf(actor))).map(toAuthenticatorOutput) }),
    }),
    route({
      method: 'POST',
      path: '/users/me/factors',
      summary: 'Begins to enrol an authenticator app; it counts once it is confirmed. Needs a recent proof.',
      permission,
      body: z.strictObject({ kind: z.literal('totp'), name: name(100).optional() }),
      output: enrolmentOutput,
      status: 201,
      handle: async ({ actor, body }) => {
        await recentProofs.verify(actor)
        const { id, name, secret, uri, qr } = await totps.enrol(actor, { user: await me(actor), name: body.name })
        return { data: { factor: { id, kind: 'totp', name, confirmed: false }, secret, uri, qr_svg: svgOf(qr) } }
      },
    }),
    route({
      method: 'POST',
      path: '/users/me/factors/:factorId/confirm',
      summary: 'Confirms an authenticator app by the first code it shows, which proves the session by it too.',
      permission,
      params: factorParams,
      body: z.strictObject({ code: text(20).min(1) }),
      output: authenticatorOutput,
      handle: async ({ actor, params, body }) => {
        await recentProofs.verify(actor)
        const also: AlsoChanged = (tx, record) => recentProofs.renewIn(tx, record, { actor, amr: withSecondFactor([], amrOfCode) })
        const confirmed = await totps.confirm(actor, { user: await me(actor), id: params.factorId, code: body.code, also })
        return { data: toAuthenticatorOutput(confirmed) }
      },
    }),
    route({
      method: 'DELETE',
      path: '/users/me/factors/:factorId',
      summary: 'Removes a factor; what it proved counts no more. Needs a recent proof.',
      permission,
      params: factorParams,
      output: done,
      handle: async ({ actor, params }) => {
        await recentProofs.verify(actor)
        await authenticators.remove(actor, { user: await me(actor), id: params.factorId })
        return { data: null }
      },
    }),
    route({
      method: 'GET',
      path: '/users/me/recovery-codes',
      summary: 'How many recovery codes the caller has left.',
      permission,
      output: z.object({ left: z.int(), issued_at: z.iso.datetime().nullable() }),
      handle: async ({ actor }) => {
        const { left, issuedAt } = await recoveryCodes.count(userIdOf(actor))
        return { data: { left, issued_at: issuedAt?.toISOString() ?? null } }
      },
    }),
    route({
      method: 'POST',
      path: '/users/me/recovery-codes',
      summary: 'Makes ten recovery codes, told only here; those before are void. Needs a recent proof.',
      permission,
      output: z.object({ codes: z.array(z.string()) }),
      status: 201,
      handle: async ({ actor }) => {
        await recentProofs.verify(actor)
        return { data: { codes: [...(await recoveryCodes.issue(actor, userIdOf(actor)))] } }
      },
    }),
  ]
}
