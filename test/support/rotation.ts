// Signing keys that rotate over several processes, and relying parties that keep the key set.
import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose'
import { systemActor } from '../../src/platform/actor.ts'
import { Problem } from '../../src/platform/errors.ts'
import { basic, type Calls, service } from './calls.ts'
import type { Cluster } from './cluster.ts'
import { until } from './until.ts'

/** Rotates as an operator would, by a process of its own, as soon as clients know the next keys. */
export const rotate = ({ withServices }: Pick<Cluster, 'withServices'>): Promise<void> =>
  withServices(({ signingKeys }) =>
    until(async () => {
      try {
        await signingKeys.rotate(systemActor)
        return true
      } catch (error) {
        if (error instanceof Problem && error.code === 'signing_key_too_young') return false
        throw error
      }
    }),
  )

/** A key set as a relying party keeps it, asked of the processes by turns. */
export const keptKeys = ({ issuer, calls }: { issuer: string; calls: Calls }, options: { cacheMaxAge: number; cooldownDuration: number }): JWTVerifyGetKey =>
  createRemoteJWKSet(new URL(`${issuer}/oauth2/jwks`), {
    ...options,
    [customFetch]: async () => {
      const { body, status } = await calls.call('/oauth2/jwks')
      return new Response(body, { status })
    },
  })

/** What the tokens of {@link issue} are for. */
export const resource = 'http://localhost:4000/api/es256'

/** A token that a service has for itself, signed by whichever process answers. */
export const issue = async ({ calls }: { calls: Calls }): Promise<string> => {
  const form = { grant_type: 'client_credentials', resource, scope: 'read' }
  const { json } = await calls.post('/oauth2/token', form, { authorization: basic(service) })
  return String(json.access_token)
}
