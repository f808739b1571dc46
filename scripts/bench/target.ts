// A started server with the connections that load it, signed in when a row needs that.
import { type Browser, createBrowser, type Visitor } from './browser.ts'
import { demoUsers, service } from './demo-data.ts'
import { codeFlow, discover, type Endpoints, type Tokens } from './sign-in.ts'
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
  /** What its token requests say besides, as a form. */
  readonly form: string
}

const ours: Manner = { isPeer: false, discovery: '/.well-known/openid-configuration', service, form: '' }

/** Opens the connections and reads discovery. */
export async function createTarget(subject: Pick<Subject, 'name' | 'url' | 'sample'>, manner: Manner = ours) {
  const opened: Browser[] = []
  const open = (): Browser => {
    const browser = createBrowser(subject.url, visitor(opened.length))
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
      signedIn ??= signInAll(browsers, endpoints)
      return signedIn
    },
    close: async (): Promise<void> => void (await Promise.all(opened.map(browser => browser.close()))),
  }
}

// An address each: the limits of guessing count what is under way against the account and against the address.
function visitor(index: number): Visitor {
  return { user: demoUsers[index % demoUsers.length] ?? demoUsers[0], address: `10.0.0.${index % 250}` }
}

/** Eight at a time, so that no queue of password hashes overflows. */
async function signInAll(browsers: readonly Browser[], endpoints: Endpoints): Promise<readonly SignedInBrowser[]> {
  const done: SignedInBrowser[] = []
  for (let start = 0; start < browsers.length; start += 8) {
    const batch = browsers.slice(start, start + 8)
    done.push(...(await Promise.all(batch.map(async browser => ({ browser, tokens: await codeFlow(browser, endpoints, { scope: userScope }) })))))
  }
  return done
}
