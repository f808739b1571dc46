// The operations on signing keys: what is published, the change to the next, and the end of one.
import { z } from 'zod'
import { type Route, route } from '../platform/http/route.ts'
import { keyAlgorithms, keyStates } from './signing-key.ts'
import type { SigningKeys } from './signing-keys.ts'

interface Needs {
  readonly signingKeys: SigningKeys
  /** Lets this process sign with the new keys at once; others find them within a second or two. */
  readonly onRotated: () => Promise<unknown>
}

const signingKeyOutput = z.object({
  id: z.uuid(),
  kid: z.string(),
  algorithm: z.enum(keyAlgorithms),
  state: z.enum(keyStates),
  created_at: z.iso.datetime(),
  activated_at: z.iso.datetime().nullable(),
  retired_at: z.iso.datetime().nullable(),
  revoked_at: z.iso.datetime().nullable(),
})
const output = z.array(signingKeyOutput)

/** Makes the routes. */
export const createSigningKeyRoutes = ({ signingKeys, onRotated }: Needs): readonly Route[] => {
  const list = async () =>
    output.parse(
      (await signingKeys.describe()).map(key => ({
        id: key.id,
        kid: key.kid,
        algorithm: key.algorithm,
        state: key.state,
        created_at: key.createdAt.toISOString(),
        activated_at: key.activatedAt?.toISOString() ?? null,
        retired_at: key.retiredAt?.toISOString() ?? null,
        revoked_at: key.revokedAt?.toISOString() ?? null,
      })),
    )
  return [
    route({
      method: 'GET',
      path: '/signing-keys',
      summary:
        'The keys: those that sign, those that come next, those that are only verified with, those that were revoked; and those under which what is for us is encrypted.',
      permission: 'signing_keys:read',
      output,
      handle: async () => ({ data: await list() }),
    }),
    route({
      method: 'POST',
      path: '/signing-keys/rotate',
      summary: 'Signs with the next keys from now on; refused while clients may not know them, unless forced.',
      permission: 'signing_keys:rotate',
      body: z.strictObject({ force: z.boolean().optional() }),
      output,
      handle: async ({ actor, body }) => {
        await signingKeys.rotate(actor, { isForced: body.force })
        await onRotated()
        return { data: await list() }
      },
    }),
    route({
      method: 'POST',
      path: '/signing-keys/:id/revoke',
      summary: 'Ends a key at once, for one that others may have: it is published no more, and we believe nothing that it signed. The next takes over.',
      description:
        'Clients that keep our key set verify with the key until they fetch it again, after JWKS_MAX_AGE_SECONDS at the latest. Where a current key is revoked, whoever asked for a token with it asks again.',
      permission: 'signing_keys:rotate',
      params: z.strictObject({ id: z.uuid() }),
      output,
      handle: async ({ actor, params }) => {
        await signingKeys.revoke(actor, { id: params.id })
        await onRotated()
        return { data: await list() }
      },
    }),
  ]
}
