// A light load of everything a relying party does, which notes how each request was answered while something is broken.
import { setTimeout as sleep } from 'node:timers/promises'
import { basic, type Reply, service } from './calls.ts'
import { authorizationQuery, codeOf, lenient, type Track } from './race.ts'

/** How one request went. */
export interface Noted {
  readonly kind: Kind
  readonly at: number
  readonly milliseconds: number
  /** 0 where there was no answer. */
  readonly status: number
  readonly error?: string
  readonly isRetryTold: boolean
  readonly isCookieCleared: boolean
}

export type Kind = 'refresh' | 'client_credentials' | 'introspect' | 'userinfo' | 'authorize' | 'discovery' | 'jwks'

/** The load under way. */
export interface Load {
  readonly noted: readonly Noted[]
  /** What was noted since a moment of `performance.now()`. */
  since(moment: number): readonly Noted[]
  stop(): Promise<void>
}

const everyMilliseconds = 60

/** Signs in once, then asks of every kind again and again, one at a time a kind. */
export async function startLoad(track: Track): Promise<Load> {
  const tokens = await track.redeem(lenient, await track.authorize(lenient))
  let refreshToken = String(tokens.json.refresh_token)
  let accessToken = String(tokens.json.access_token)
  const { calls } = track

  const kinds: Record<Kind, () => Promise<Reply>> = {
    // A refused answer loses nothing: the same token is tried again.
    refresh: async () => {
      const reply = await track.refresh(lenient, refreshToken)
      if (reply.status === 200) {
        refreshToken = String(reply.json.refresh_token)
        accessToken = String(reply.json.access_token)
      }
      return reply
    },
    client_credentials: () => calls.post('/oauth2/token', { grant_type: 'client_credentials' }, { authorization: basic(service) }),
    introspect: () => calls.post('/oauth2/introspect', { token: accessToken }, { authorization: basic(lenient) }),
    userinfo: () => calls.call('/oauth2/userinfo', { headers: { authorization: `Bearer ${accessToken}` } }),
    authorize: () => calls.call(`/oauth2/authorize?${authorizationQuery(lenient, 'v'.repeat(43))}`, { headers: { cookie: track.cookie } }),
    discovery: () => calls.call('/.well-known/openid-configuration'),
    jwks: () => calls.call('/oauth2/jwks'),
  }

  const noted: Noted[] = []
  let isStopped = false
  const loops = (Object.keys(kinds) as Kind[]).map(async kind => {
    while (!isStopped) {
      noted.push(await note(kind, kinds[kind]))
      await sleep(everyMilliseconds)
    }
  })
  return {
    noted,
    since: moment => noted.filter(({ at }) => at >= moment),
    stop: async () => {
      isStopped = true
      await Promise.all(loops)
    },
  }
}

/** Whether a request was answered as if nothing was broken. */
export const isWell = ({ kind, status, error }: Noted): boolean => (kind === 'authorize' ? status === 303 && error === undefined : status === 200)

/** Whether a failure was told as one that passes: 503, or `temporarily_unavailable` on the way back to the client. */
export const isPassing = ({ status, error, isRetryTold }: Noted): boolean =>
  (status === 503 && isRetryTold) || (status === 303 && error === 'temporarily_unavailable')

async function note(kind: Kind, ask: () => Promise<Reply>): Promise<Noted> {
  const at = performance.now()
  try {
    const reply = await ask()
    return { kind, at, milliseconds: performance.now() - at, status: reply.status, ...told(kind, reply) }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { kind, at, milliseconds: performance.now() - at, status: 0, error: error.message, isRetryTold: false, isCookieCleared: false }
  }
}

function told(kind: Kind, reply: Reply): Pick<Noted, 'error' | 'isRetryTold' | 'isCookieCleared'> {
  const { location } = reply.headers
  const inLocation = kind === 'authorize' && typeof location === 'string' && codeOf(reply) === undefined ? errorIn(location) : undefined
  return {
    error: inLocation ?? (typeof reply.json.error === 'string' ? reply.json.error : undefined),
    isRetryTold: reply.headers['retry-after'] !== undefined,
    isCookieCleared: [reply.headers['set-cookie'] ?? []].flat().some(cookie => /expires=Thu, 01 Jan 1970/i.test(cookie)),
  }
}

const errorIn = (location: string): string => (URL.canParse(location) && new URL(location).searchParams.get('error')) || 'elsewhere'
