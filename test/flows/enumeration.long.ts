// Nobody's existence is told by time: all kinds of people, asked by turns, differ from who exists, try by try, by no more than the machine's own noise.
import test from 'ava'
import { type Calls, createCalls } from '../support/calls.ts'
import { makeOneOf } from '../support/classes-of-people.ts'
import { hiddenOf } from '../support/factor-journeys.ts'
import { createPerson, type Person } from '../support/person.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { beginSignIn, beside, toPassword } from '../support/sign-in-pages.ts'

const tries = Number(process.env.TRIES ?? 160)
// Where a password is hashed, which takes ten times as long as all the rest, the medians settle sooner.
const hashedTries = Number(process.env.TRIES ?? 60)
const margin = 0.05
// On a noisy machine further tries join the first ones; a real difference stays, however many there are.
const chances = 6
type Kind = Parameters<typeof makeOneOf>[1]
const all: readonly Kind[] = ['missing', 'suspended', 'unverified', 'without password', 'deleted']

let server: TestServer
let calls: Calls
test.before(async () => {
  // Jobs wait: one's mail is not to be sent in another's time. Behind a proxy each try comes from an address of its own.
  server = await startServer({ isMeasured: true, settings: { API_REQUESTS_PER_MINUTE: '1000000', RUN_JOBS: 'false', TRUST_PROXY: '1' } })
  calls = createCalls(server.issuer)
})
test.after.always(async () => {
  await calls?.close()
  await server?.close()
})

let addresses = 0
const somewhere = () => {
  addresses += 1
  return { 'x-forwarded-for': `10.${addresses >> 16}.${(addresses >> 8) & 255}.${addresses & 255}` }
}

type Ask = () => Promise<{ readonly status: number }>

const post = (path: string, body: object): Ask => {
  const call = { method: 'POST', body: JSON.stringify(body) } as const
  return () => calls.call(`/api/v1${path}`, { ...call, headers: { 'content-type': 'application/json', ...somewhere() } })
}

/** Posts a form beside the page that a browser is at, again and again. */
const fromPage = ({ person, url, form }: { person: Person; url: URL; form: Record<string, string> }): Ask => {
  const cookies = [...person.cookies.values()].filter(({ path }) => url.pathname.startsWith(path))
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  return () => calls.post(url.pathname, form, { cookie, origin: url.origin, ...somewhere() })
}

/** What is asked, once it is prepared for an address, the status that tells nothing, and the kinds for whom the work could be another. */
const ways: Readonly<Record<string, { status: number; rounds?: number; kinds: readonly Kind[]; prepare: (email: string) => Promise<Ask> }>> = {
  'signing in': {
    status: 401,
    rounds: hashedTries,
    kinds: ['missing', 'suspended', 'without password'],
    prepare: async email => post('/auth/login', { email, password: 'not the password' }),
  },
  'signing up': {
    status: 303,
    rounds: hashedTries,
    kinds: ['missing', 'unverified'],
    prepare: async email => {
      const { person, page } = await beginSignIn(server, { person: createPerson(somewhere()) })
      const form = { csrf: hiddenOf(page).csrf ?? '', email, name: 'Ida Example', password: 'violet umbrella 77' }
      return fromPage({ person, url: beside(page.url, 'sign-up'), form })
    },
  },
  'forgotten password': { status: 202, kinds: all, prepare: async email => post('/auth/password/forgot', { email }) },
  'a new proof of the address': { status: 202, kinds: all, prepare: async email => post('/auth/email/resend', { email }) },
  'a code to sign in by': {
    status: 303,
    kinds: all,
    prepare: async email => {
      const { person, page } = await toPassword(server, email, createPerson(somewhere()))
      return fromPage({ person, url: beside(page.url, 'email-code'), form: { csrf: hiddenOf(page).csrf ?? '' } })
    },
  },
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/**
 * By how much each try of the others parts from the first one's in the same round, as a share of what the first takes: a machine that is busy for a while
 * slows both. Each round has another order, and every try whole budgets.
 */
const differencesOf = async (asks: readonly Ask[], { rounds, status }: { rounds: number; status: number }) => {
  const times: number[][] = asks.map(() => [])
  for (let round = 0; round < rounds; round += 1) {
    await server.resources.database.pool.query('DELETE FROM rate_limits')
    for (let turn = 0; turn < asks.length; turn += 1) {
      const index = (turn * (round % 2 === 0 ? 1 : asks.length - 1) + round) % asks.length
      const startedAt = performance.now()
      const answer = await asks[index]?.()
      times[index]?.push(performance.now() - startedAt)
      if (answer?.status !== status) throw new Error(`answered ${answer?.status}`)
    }
  }
  const [firsts = [], ...others] = times
  return others.map(other => other.map((time, round) => (time - (firsts[round] ?? 0)) / median(firsts)))
}

for (const [name, { status, rounds = tries, kinds, prepare }] of Object.entries(ways))
  test.serial(`${name}: the time tells nothing of who exists`, async t => {
    t.timeout(300_000)
    const prepared = async (kind: Kind) => prepare(await makeOneOf(server, kind))
    const existing = await prepared('existing')
    const others = await Promise.all(kinds.map(prepared))
    await differencesOf([existing, ...others], { rounds: 10, status })
    const differences = await differencesOf([existing, ...others], { rounds, status })
    for (const [index, kind] of kinds.entries()) {
      const taken = [...(differences[index] ?? [])]
      const found = [Math.abs(median(taken))]
      const pair = [existing, others[index] ?? existing]
      while ((found.at(-1) ?? 1) > margin && found.length < chances) {
        taken.push(...(await differencesOf(pair, { rounds, status })).flat())
        found.push(Math.abs(median(taken)))
      }
      const told = found.map(one => `${(one * 100).toFixed(1)} %`).join(', ')
      t.true((found.at(-1) ?? 1) <= margin, `${kind}: ${told}`)
      t.log(`${kind}: the tries part by ${told}`)
    }
  })
