// Browsers, tabs and what their people proved: the ground of a walk, on which each arrival is judged by the oracle.
import type { SoftAuthenticator } from './authenticator.ts'
import type { TestClient } from './clients.ts'
import { open, tokenFor } from './factor-journeys.ts'
import { createOracle, type Demand, type Told } from './factor-oracle.ts'
import { type Answer, createPerson } from './person.ts'
import { redirectUri } from './relying-party.ts'
import type { TestServer } from './server.ts'

/** What may be done. */
export const kinds = [
  'open',
  'sign in',
  'identifier',
  'password',
  'wrong password',
  'right code',
  'code of somebody',
  'wrong code',
  'passkey',
  'passkey of somebody',
  'save codes',
  'back',
  'finish',
  'switch account',
  'other browser',
  'code by mail',
  'new password by mail',
  'silent request',
  'refresh',
  'log out',
] as const

/** One thing that is done, where and by whom. */
export interface Action {
  readonly kind: (typeof kinds)[number]
  readonly browser: number
  readonly tab: number
  readonly who: number
  readonly entrance: number
}

/** Somebody who walks; `seed` where they have an authenticator app, `authenticator` where they have a passkey. */
export interface Walker {
  readonly id: string
  readonly email: string
  readonly password: string
  seed?: string
  readonly authenticator?: SoftAuthenticator
}

/** A door: a client, and how it asks. */
export interface Door {
  readonly entrance: TestClient
  readonly parameters: Record<string, string>
  readonly demand: Demand
}

interface Tab {
  page: Answer
  door: Door
  redeem: Awaited<ReturnType<typeof open>>['redeem']
}

interface Kept {
  readonly token: string
  readonly door: Door
  readonly told: Told
  readonly epoch: number
}

const browsers = 2
const isCode = ({ location }: Answer) => location?.searchParams.has('code') === true

/** The interaction that a page belongs to. */
export const uidOf = ({ url }: Answer): string | undefined => /^\/interaction\/([^/]+)/.exec(url.pathname)?.[1]

/** The one that a number means. */
export const pick = <Value>(list: readonly Value[], index: number): Value => list[index % list.length] as Value

/** What a token response tells. */
export const toldOf = (tokens: { claims(): unknown }): Told => {
  const { sub = '', acr, amr = [] } = Object(tokens.claims())
  return { sub, acr, amr }
}

/** Begins a walk with empty browsers. */
export const createGround = ({ server, people, doors }: { server: TestServer; people: readonly Walker[]; doors: readonly Door[] }) => {
  const oracle = createOracle({ browsers, enrolled: people.filter(({ seed }) => seed).map(({ id }) => id) })
  const persons = Array.from({ length: browsers }, () => createPerson())
  const tabs = new Map<string, Tab>()
  const identifiers = new Map<string, string>()
  const firstBy = new Map<string, string>()
  const kept = new Map<number, Kept>()
  const count = { actions: 0, tokens: 0, strong: 0 }

  const fail = (fault: string): never => {
    throw new Error(`step ${count.actions}: ${fault}`)
  }
  const judge = (fault: string | undefined) => fault === undefined || fail(fault)
  const personOf = ({ browser }: Pick<Action, 'browser'>) => pick(persons, browser)
  const key = ({ browser, tab }: Action) => `${browser} ${tab}`
  const shown = (action: Action) => tabs.get(key(action))

  /** Keeps where a tab is by now; a code is redeemed and judged. */
  const arrive = async (action: Action, { page, door, redeem }: Tab, isSilent = false) => {
    if (page.status >= 500) fail(`${page.status} at ${page.url.pathname}`)
    if (!isCode(page)) return void tabs.set(key(action), { page, door, redeem })
    tabs.delete(key(action))
    const tokens = await redeem(page)
    const told = toldOf(tokens)
    count.tokens += 1
    if (told.amr.includes('mfa')) count.strong += 1
    judge(oracle.verify(action.browser, { told, demand: door.demand, isSilent }))
    if (tokens.refresh_token) kept.set(action.browser, { token: tokens.refresh_token, door, told, epoch: oracle.epochOf(told.sub) })
  }

  return {
    server,
    people,
    oracle,
    count,
    fail,
    judge,
    personOf,
    shown,
    identifiers,
    firstBy,
    kept,
    begin: async (action: Action, more: Record<string, string> = {}) => {
      const door = pick(doors, action.entrance)
      const { page, redeem } = await open(personOf(action), door.entrance, { ...door.parameters, ...more })
      await arrive(action, { page, door, redeem }, true)
    },
    /** Posts to a page of the interaction in the tab, whatever is shown there; answers what came back and what goes on from there. */
    post: async (action: Action, path: string, values: Record<string, string>) => {
      const at = shown(action)
      const uid = at && uidOf(at.page)
      if (!at || !uid) return undefined
      const person = personOf(action)
      const answer = await person.post(new URL(`/interaction/${uid}${path}`, server.issuer), { csrf: await tokenFor(person, at.page, path), ...values })
      return { uid, answer, go: async () => arrive(action, { ...at, page: await person.follow(answer, redirectUri) }) }
    },
    /** Opens an address of the interaction in the tab, there or in another browser. */
    look: async (action: Action, address: (uid: string) => string, browser = action.browser) => {
      const at = shown(action)
      const uid = at && uidOf(at.page)
      if (!at || !uid) return
      const person = personOf({ browser })
      await arrive({ ...action, browser }, { ...at, page: await person.follow(await person.get(new URL(address(uid), server.issuer)), redirectUri) })
    },
  }
}

/** What {@link createGround} gives. */
export type Ground = ReturnType<typeof createGround>
