// Steady traffic of relying parties and administrators, each request tried once more where it fails, and a ledger of what was acknowledged.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { basic, type Calls, type Reply, service } from './calls.ts'
import { type Ledger, type Line, takeLine } from './ledger.ts'
import { createPerson } from './person.ts'
import { lenient, type Track } from './race.ts'
import { bob, createRelyingParty } from './relying-party.ts'

/** How one request went. */
export interface Passed {
  readonly kind: string
  /** When it was begun, and how long its first try took: milliseconds of `performance.now()`. */
  readonly at: number
  readonly milliseconds: number
  /** What the first try was answered with; absent where it was well. */
  readonly failure?: string
  /** What the second was answered with; absent where there was none, or it was well. */
  readonly failureAgain?: string
}

/** The traffic under way. */
export interface Traffic {
  readonly passed: readonly Passed[]
  stop(): Promise<void>
}

// By turns.
const order =
  'exchange userinfo introspect refresh service jwks userinfo create introspect refresh exchange discovery service userinfo introspect revoke refresh service'.split(
    ' ',
  )
const everyMilliseconds = 60
const signInEvery = 40

class Unwell extends Error {
  readonly retryAfterSeconds: number
  constructor(reply: Reply) {
    super(`${reply.status}${typeof reply.json.error === 'string' ? ` ${reply.json.error}` : ''}`)
    this.retryAfterSeconds = Number(reply.headers['retry-after'] ?? 1)
  }
}

const well = (reply: Reply, status = 200): Reply => {
  if (reply.status !== status) throw new Unwell(reply)
  return reply
}

/** Starts it: 16 requests a second whatever the answers are. `apiToken` is an administrator's. */
export function startTraffic(track: Track, { ledger, apiToken }: { ledger: Ledger; apiToken: string }): Traffic {
  const { calls, issuer } = track
  const relyingParty = createRelyingParty(issuer)

  const exchange = async () => {
    const tokens = well(await track.redeem(lenient, await track.authorize(lenient)))
    ledger.lines.push({ refreshToken: String(tokens.json.refresh_token), accessToken: String(tokens.json.access_token), isBusy: false, isCertain: true })
  }
  const withLine = async (work: (line: Line) => Promise<void>): Promise<() => Promise<void>> => {
    const line = takeLine(ledger)
    if (!line) return exchange
    return async () => work(line)
  }
  const kinds: Record<string, () => Promise<() => Promise<unknown>>> = {
    exchange: async () => exchange,
    refresh: () => withLine(line => refresh(track, line)),
    revoke: async () => () => revoke(calls, ledger),
    userinfo: async () => () => userinfo(calls, ledger),
    introspect: async () => () => introspect(calls, ledger),
    service: async () => () => calls.post('/oauth2/token', { grant_type: 'client_credentials' }, { authorization: basic(service) }).then(well),
    jwks: async () => () => calls.call('/oauth2/jwks').then(well),
    discovery: async () => () => calls.call('/.well-known/openid-configuration').then(well),
    create: async () => {
      const key = randomUUID()
      return () => create(calls, ledger, { key, apiToken })
    },
    sign_in: async () => async () => {
      const { person } = await (await relyingParty).signIn({ person: createPerson(), who: bob })
      ledger.people.push(person)
    },
  }
  return begin(kinds)
}

function begin(kinds: Readonly<Record<string, () => Promise<() => Promise<unknown>>>>): Traffic {
  const passed: Passed[] = []
  const underWay = new Set<Promise<void>>()
  let turn = 0
  const timer = setInterval(() => {
    turn += 1
    const kind = turn % signInEvery === 0 ? 'sign_in' : (order[turn % order.length] ?? '')
    const one = attempt(kind, kinds[kind]).then(result => {
      passed.push(result)
      underWay.delete(one)
    })
    underWay.add(one)
  }, everyMilliseconds)
  return {
    passed,
    stop: async () => {
      clearInterval(timer)
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}

/** Tries, and once more where it failed: after what Retry-After says, else after a second. */
async function attempt(kind: string, make: (() => Promise<() => Promise<unknown>>) | undefined): Promise<Passed> {
  if (!make) throw new Error(`there is no traffic of the kind ${kind}`)
  const work = await make()
  const at = performance.now()
  const failure = await failureOf(work)
  const milliseconds = performance.now() - at
  if (!failure) return { kind, at, milliseconds }
  await sleep(failure.seconds * 1000)
  const again = await failureOf(work)
  return { kind, at, milliseconds, failure: failure.text, ...(again ? { failureAgain: again.text } : {}) }
}

async function failureOf(work: () => Promise<unknown>): Promise<{ text: string; seconds: number } | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { text: describe(error.message), seconds: error instanceof Unwell ? Math.min(error.retryAfterSeconds, 10) : 1 }
  }
}

/** The answer to an authorization request, or what a page was, in a few words. */
function describe(message: string): string {
  const [, status, where = ''] = /^no code: (\d+) (.*)/s.exec(message) ?? []
  if (status === undefined) return message.replace(/\/interaction\/\S+|\/authorize\/\S+/, 'a page').slice(0, 80)
  return `${status} ${/[?&]error=(\w+)/.exec(where)?.[1] ?? ''}`.trim()
}

async function refresh(track: Track, line: Line): Promise<void> {
  line.isBusy = true
  line.isCertain = false
  try {
    const { json } = well(await track.refresh(lenient, line.refreshToken))
    line.refreshToken = String(json.refresh_token)
    line.accessToken = String(json.access_token)
    line.isCertain = true
  } finally {
    line.isBusy = false
  }
}

/** Revokes a token that belongs to nobody but itself: that of a service. */
async function revoke(calls: Calls, ledger: Ledger): Promise<void> {
  const authorization = basic(service)
  const token = String(well(await calls.post('/oauth2/token', { grant_type: 'client_credentials' }, { authorization })).json.access_token)
  well(await calls.post('/oauth2/revoke', { token }, { authorization }))
  ledger.revoked.push(token)
}

async function userinfo(calls: Calls, ledger: Ledger): Promise<void> {
  const token = ledger.lasting.accessToken
  well(await calls.call('/oauth2/userinfo', { headers: { authorization: `Bearer ${token}` } }))
}

async function introspect(calls: Calls, ledger: Ledger): Promise<void> {
  const reply = well(await calls.post('/oauth2/introspect', { token: ledger.lasting.accessToken }, { authorization: basic(lenient) }))
  if (reply.json.active !== true) throw new Error('a living token was told inactive')
}

async function create(calls: Calls, ledger: Ledger, { key, apiToken }: { key: string; apiToken: string }): Promise<void> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${apiToken}`, 'idempotency-key': key }
  const body = JSON.stringify({ email: `${key}@people.example`, full_name: 'Ida Example' })
  well(await calls.call('/api/v1/users', { method: 'POST', headers, body }), 201)
  ledger.emails.push(`${key}@people.example`)
}
