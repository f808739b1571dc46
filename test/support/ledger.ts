// What a server acknowledged while something was broken, and the check that all of it is true afterwards.
import pg from 'pg'
import { basic, service } from './calls.ts'
import type { Person } from './person.ts'
import { authorizationQuery, codeOf, lenient, type Track } from './race.ts'

/** A refresh token and its access token, the newest of their line. */
export interface Line {
  refreshToken: string
  accessToken: string
  /** Somebody uses it just now. */
  isBusy: boolean
  /** The last answer arrived: where it did not, another token may be the newest. */
  isCertain: boolean
}

/** What was acknowledged. */
export interface Ledger {
  lines: Line[]
  /** Access tokens that were revoked. */
  readonly revoked: string[]
  readonly emails: string[]
  readonly people: Person[]
  /** Tokens that are read again and again, and never rotated. */
  readonly lasting: Line
}

/** A ledger that holds what was issued at first. */
export async function openLedger(track: Track): Promise<Ledger> {
  const { json } = await track.redeem(lenient, await track.authorize(lenient))
  const lasting = { refreshToken: String(json.refresh_token), accessToken: String(json.access_token), isBusy: false, isCertain: true }
  return { lines: [], revoked: [], emails: [], people: [], lasting }
}

/** A line that nobody uses, the oldest first; it is whoever asked's. */
export function takeLine(ledger: Ledger): Line | undefined {
  const line = ledger.lines.find(one => !one.isBusy && one.isCertain)
  if (line) line.isBusy = true
  return line
}

/** How many acknowledged things are not as they were acknowledged, by their kind; and how many were looked at. */
export async function audit(track: Track, ledger: Ledger, databaseUrl: string): Promise<{ looked: number; lost: Record<string, number> }> {
  const certain = ledger.lines.filter(({ isCertain }) => isCertain)
  const lost = {
    users: await missing(ledger.emails, databaseUrl),
    access_tokens: await count([...certain, ledger.lasting], async ({ accessToken }) => !(await isActive(track, accessToken))),
    refresh_tokens: await count([...certain, ledger.lasting], async ({ refreshToken }) => (await track.refresh(lenient, refreshToken)).status !== 200),
    sessions: await count(ledger.people, async person => !(await isSignedIn(track, person))),
    revocations: await count(ledger.revoked, token => isActive(track, token, service)),
  }
  return { looked: ledger.emails.length + 2 * (certain.length + 1) + ledger.people.length + ledger.revoked.length, lost }
}

async function count<Thing>(things: readonly Thing[], isLost: (thing: Thing) => Promise<boolean>): Promise<number> {
  let lost = 0
  for (const thing of things) if (await isLost(thing)) lost += 1
  return lost
}

async function missing(emails: readonly string[], url: string): Promise<number> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    const { rowCount } = await client.query('SELECT FROM users WHERE email = ANY ($1)', [emails])
    return emails.length - (rowCount ?? 0)
  } finally {
    await client.end()
  }
}

const isActive = async ({ calls }: Track, token: string, by: { id: string; secret: string } = lenient): Promise<boolean> =>
  (await calls.post('/oauth2/introspect', { token }, { authorization: basic(by) })).json.active === true

async function isSignedIn({ calls }: Track, person: Person): Promise<boolean> {
  const cookie = [...person.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; ')
  return codeOf(await calls.call(`/oauth2/authorize?${authorizationQuery(lenient, 'v'.repeat(43))}`, { headers: { cookie } })) !== undefined
}
