// How the engine keeps backchannel authentication requests: as artifacts, read together with what their person answered.
import type { Adapter, AdapterPayload } from 'oidc-provider'
import { lateSeconds, toArtifact, toPayload } from './artifact.ts'
import type { PostgresArtifacts } from './artifacts-postgres.ts'
import type { BackchannelAnswer } from './backchannel-request.ts'
import type { BackchannelRequests } from './backchannel-requests.ts'
import { invalidGrant } from './problems.ts'

const kind = 'BackchannelAuthenticationRequest'

interface Needs {
  readonly durable: PostgresArtifacts
  readonly backchannelRequests: Pick<BackchannelRequests, 'findAnswer'>
}

/**
 * Makes the adapter's own part. Redeemed once, a request is not found any more: its client is authenticated and may well ask twice at
 * once, for a notification and its own polling cross, so a second try is refused but ends nothing of the first.
 */
export const backchannelAdapter = ({ durable, backchannelRequests }: Needs): Partial<Adapter> => ({
  upsert: (id, payload, expiresIn) => durable.put(toArtifact(kind, { id, payload: withoutToken(payload), expiresIn: lateSeconds(expiresIn) })),
  find: async id => {
    const [stored, answer] = await Promise.all([durable.find(kind, id), backchannelRequests.findAnswer(id)])
    if (!stored || stored.isConsumed || !answer) return undefined
    return toPayload(id, { ...stored, payload: { ...stored.payload, ...answered(answer) } })
  },
  consume: async id => {
    if (!(await durable.consume(kind, id))) throw invalidGrant('the request was redeemed before')
  },
})

// The bearer token of the notification stands sealed elsewhere.
const withoutToken = (payload: AdapterPayload): AdapterPayload => {
  const { client_notification_token: _token, ...params } = payload.params ?? {}
  return { ...payload, params }
}

const answered = (answer: BackchannelAnswer): Record<string, unknown> => {
  switch (answer.decision) {
    case 'waiting':
      return {}
    case 'approved': {
      const { decision: _decision, ...proven } = answer
      return proven
    }
    case 'denied':
      return { error: 'access_denied', errorDescription: 'the user denied the request' }
    case 'ended':
      return { error: 'access_denied', errorDescription: 'the request ended with the access of those it was for' }
  }
}
