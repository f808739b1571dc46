// A started server with the connections that load it, signed in when a row needs that.
import { type Browser, createBrowser, type Person, type Visitor } from './browser.ts'
import { demoUsers, portal, service } from './demo-data.ts'
import { type Application, codeFlow, discover, type SignInGround, type Tokens } from './sign-in.ts'
import type { Subject } from './subject.ts'

export interface SignedInBrowser {
  readonly browser: Browser
  readonly tokens: Tokens
}

export type Target = Awaited<ReturnType<typeof createTarget>>

export const connectionCount = 32
export const userScope = 'openid profile email'

/** How a server is spoken to. */
interface Manner {
  /** It is another's provider, of which only what every provider has is asked. */
  readonly isPeer: boolean
  /** The path of its discovery. */
  readonly discovery: string
  /** The client that asks for tokens of its own. */
  readonly service: { readonly id: string; readonly secret: string }
  /** The application to which people sign in. */
  readonly application: Application
  /** Who signs in; nobody where only clients are measured. */
  readonly people: readonly Person[]
  /** What its token requests say besides, as a form. */
  readonly form: string
}

const nobody: Person = { username: '', password: '' }
const ours: Manner = { isPeer: false, discovery: '/.well-known/openid-configuration', service, application: portal, people: demoUsers, form: '' }

/** Opens the connections and reads discovery. */
export async function createTarget(subject: Pick<Subject, 'name' | 'url' | 'sample'>, manner: Manner = ours) {
  const opened: Browser[] = []
  const open = (): Browser => {
    const browser = createBrowser(subject.url, visitor(manner.people, opened.length))
    opened.push(browser)
    return browser
  }
  const browsers = Array.from({ length: connectionCount }, open)
  const [first] = browsers
  if (!first) throw new Error('no connection')
  const endpoints = await discover(first, manner.discovery)
  let signedIn: Promise<readonly SignedInBrowser[]> | undefined

  return {
    ...manner,
    name: subject.name,
    sample: subject.sample,
    endpoints,
    browsers,
    open,
    /** Each connection with its own session and tokens; signed in once a run. */
    signedIn: (): Promise<readonly SignedInBrowser[]> => {
      signedIn ??= signInAll(browsers, { endpoints, application: manner.application })
      return signedIn
    },
    close: async (): Promise<void> => void (await Promise.all(opened.map(browser => browser.close()))),
  }
}

// An address each: the limits of guessing count what is under way against the account and against the address.
function visitor(people: readonly Person[], index: number): Visitor {
  return { user: people[index % people.length] ?? nobody, address: `10.0.0.${index % 250}` }
}

/** Eight at a time, so that no queue of password hashes overflows. */
async function signInAll(browsers: readonly Browser[], ground: SignInGround): Promise<readonly SignedInBrowser[]> {
  const done: SignedInBrowser[] = []
  for (let start = 0; start < browsers.length; start += 8) {
    const batch = browsers.slice(start, start + 8)
    done.push(...(await Promise.all(batch.map(async browser => ({ browser, tokens: await codeFlow(browser, ground, { scope: userScope }) })))))
  }
  return done
}
