// The operations on one's own passkeys.
import { z } from 'zod'
import type { Actor } from '../platform/actor.ts'
import { Problem } from '../platform/errors.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { name } from '../platform/http/text.ts'
import type { RecentProofs } from '../sessions/recent-proofs.ts'
import type { UserAdministration } from '../users/administration.ts'
import { type User, userIdOf } from '../users/user.ts'
import { type AlsoChanged, withSecondFactor } from './authenticator.ts'
import { creationOptionsJson, type Passkey, registrationJson } from './passkey.ts'
import { referencesOfKey } from './passkey-row.ts'
import type { Passkeys } from './passkeys.ts'

interface Needs {
  readonly passkeys: Passkeys
  readonly userAdministration: UserAdministration
  readonly recentProofs: RecentProofs
}

const permission = 'signed_in'
const passkeyName = name(100)
const params = z.strictObject({ id: z.uuid() })
const passkeyOutput = z.object({
  id: z.uuid(),
  name: z.string(),
  /** The make of the authenticator; zeros where it does not say. */
  aaguid: z.string(),
  is_synced: z.boolean(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  last_used_at: z.iso.datetime().nullable(),
})

/** Makes the routes. A passkey is made in two steps: the options for the browser, then what the browser made of them. */
export const createPasskeyRoutes = ({ passkeys, userAdministration, recentProofs }: Needs): readonly Route[] => {
  const me = async (actor: Actor): Promise<{ user: User; binding: string }> => {
    const id = userIdOf(actor)
    if (actor.sessionId === undefined) throw new Problem('forbidden')
    return { user: await userAdministration.get(id), binding: actor.sessionId }
  }
  return [
    route({
      method: 'POST',
      path: '/users/me/passkeys/options',
      summary: 'What the browser makes a new passkey by; good once and for five minutes. Needs a recent proof.',
      permission,
      output: creationOptionsJson,
      handle: async ({ actor }) => {
        await recentProofs.verify(actor)
        return { data: await passkeys.beginEnrolment(await me(actor)) }
      },
    }),
    route({
      method: 'POST',
      path: '/users/me/passkeys',
      summary: 'Keeps the passkey that the browser made of the options, which proves the session by it too. Needs a recent proof.',
      permission,
      body: z.strictObject({ name: passkeyName.optional(), response: registrationJson }),
      output: passkeyOutput,
      status: 201,
      handle: async ({ actor, body }) => {
        await recentProofs.verify(actor)
        const also = (made: Passkey): AlsoChanged => {
          const amr = withSecondFactor([], referencesOfKey(made))
          return (tx, record) => recentProofs.renewIn(tx, record, { actor, amr })
        }
        return told(await passkeys.enrol(actor, { ...(await me(actor)), ...body, also }))
      },
    }),
    route({
      method: 'GET',
      path: '/users/me/passkeys',
      summary: 'The caller’s passkeys, the newest first.',
      permission,
      output: z.array(passkeyOutput),
      handle: async ({ actor }) => ({ data: (await passkeys.list((await me(actor)).user.id)).map(toOutput) }),
    }),
    route({
      method: 'PATCH',
      path: '/users/me/passkeys/:id',
      summary: 'Renames one of the caller’s passkeys.',
      permission,
      comparesVersion: true,
      params,
      body: z.strictObject({ name: passkeyName }),
      output: passkeyOutput,
      handle: async ({ actor, params, body, ifMatch }) => {
        const { user } = await me(actor)
        return told(await passkeys.rename(actor, { userId: user.id, id: params.id, name: body.name, expect: ({ updatedAt }) => ifMatch(updatedAt) }))
      },
    }),
    route({
      method: 'DELETE',
      path: '/users/me/passkeys/:id',
      summary: 'Removes one of the caller’s passkeys: it signs in no more. Needs a recent proof.',
      permission,
      params,
      output: done,
      handle: async ({ actor, params }) => {
        await recentProofs.verify(actor)
        await passkeys.remove(actor, { user: (await me(actor)).user, id: params.id })
        return { data: null }
      },
    }),
  ]
}

const told = (passkey: Passkey) => ({ data: toOutput(passkey), version: passkey.updatedAt })

const toOutput = ({ id, name, aaguid, isSynced, createdAt, updatedAt, lastUsedAt }: Passkey): z.input<typeof passkeyOutput> => ({
  id,
  name,
  aaguid,
  is_synced: isSynced,
  created_at: createdAt.toISOString(),
  updated_at: updatedAt.toISOString(),
  last_used_at: lastUsedAt?.toISOString() ?? null,
})
