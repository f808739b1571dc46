// The operations on signing keys: what is published, and the change to the next.
import { z } from 'zod'
import { type Route, route } from '../platform/http/route.ts'
import { keyAlgorithms, type SigningKeys } from './signing-keys.ts'

interface Needs {
  readonly signingKeys: SigningKeys
  /** Lets this process sign with the new keys at once; others find them within seconds. */
  readonly onRotated: () => Promise<unknown>
}

const signingKeyOutput = z.object({
  kid: z.string(),
  algorithm: z.enum(keyAlgorithms),
  state: z.enum(['current', 'next', 'retired']),
  created_at: z.iso.datetime(),
  activated_at: z.iso.datetime().nullable(),
  retired_at: z.iso.datetime().nullable(),
})
const output = z.array(signingKeyOutput)

/** Makes the routes. */
export const createSigningKeyRoutes = ({ signingKeys, onRotated }: Needs): readonly Route[] => {
  const list = async () =>
    output.parse(
      (await signingKeys.describe()).map(key => ({
        kid: key.kid,
        algorithm: key.algorithm,
        state: key.state,
        created_at: key.createdAt.toISOString(),
        activated_at: key.activatedAt?.toISOString() ?? null,
        retired_at: key.retiredAt?.toISOString() ?? null,
      })),
    )
  return [
    route({
      method: 'GET',
      path: '/signing-keys',
      summary: 'The keys: those that sign, those that come next, those that are only verified with; and those under which what is for us is encrypted.',
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
  ]
}
