// How the engine keeps device codes (RFC 8628): found by their user code, which is good for one decision.
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider'
import { AlreadyUsedError } from 'oidc-provider/lib/helpers/re_render_errors.js'
import type { Secrets } from '../platform/secrets.ts'
import { lateSeconds, toArtifact, toPayload } from './artifact.ts'
import type { PostgresArtifacts } from './artifacts-postgres.ts'
import { noteWrongUserCode } from './device-limit.ts'
import { invalidGrant } from './problems.ts'

const kind = 'DeviceCode'

interface Needs {
  readonly durable: PostgresArtifacts
  readonly secrets: Secrets
}

/**
 * Makes the adapter's own part. A device code is found by its user code and saved again under its own id, which is therefore kept,
 * sealed. The engine looks whether the code was taken up and then saves that it is, which lets two browsers through together; here the
 * statement that takes it up also takes the user code away, so of any number of them one goes on. Polled again once it was redeemed, a
 * code is refused, and what was issued on it lives: RFC 8628 §3.5 asks for no more, and a client's polls may cross.
 */
export const deviceCodeAdapter = ({ durable, secrets }: Needs): Partial<Adapter> => ({
  upsert: async (id, payload, expiresIn) => {
    const artifact = toArtifact(kind, { id, payload: { ...payload, sealedId: secrets.seal('artifact', id, kind) }, expiresIn: lateSeconds(expiresIn) })
    if (isNew(payload)) return durable.put(artifact)
    if (!isFirstDecision(payload)) return durable.put({ ...artifact, userCode: undefined })
    if (!(await durable.claimUserCode(artifact))) throw new AlreadyUsedError()
  },
  find: async id => {
    const stored = await durable.find(kind, id)
    // The engine would revoke the grant.
    if (stored?.isConsumed && Provider.ctx?.oidc?.route === 'token') throw invalidGrant('the device code was used before')
    return toPayload(id, stored)
  },
  consume: async id => {
    if (!(await durable.consume(kind, id))) throw invalidGrant('the device code was used before')
  },
  findByUserCode: async userCode => {
    const found = /^[A-Z0-9]{1,32}$/.test(userCode) ? await durable.findByUserCode(userCode) : undefined
    const sealedId = found?.payload.sealedId
    const id = typeof sealedId === 'string' ? secrets.findUnsealed('artifact', sealedId, kind) : undefined
    if (!found || id === undefined) {
      noteWrongUserCode(Provider.ctx)
      return undefined
    }
    return toPayload(id, found)
  },
})

const isNew = ({ inFlight, error, accountId }: AdapterPayload): boolean => !inFlight && !error && !accountId

// Confirmed, and nothing more is known yet; or refused before it was confirmed.
const isFirstDecision = ({ inFlight, error, accountId }: AdapterPayload): boolean => !accountId && Boolean(inFlight) !== Boolean(error)
