// One keep-alive connection to a server, with a cookie jar.
import { Client } from 'undici'

export interface Answer {
  readonly status: number
  readonly location: string | undefined
  readonly body: string
}

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
}

/** What somebody signs in with. */
export interface Person {
  readonly username: string
  readonly password: string
}

/** Who uses a browser, and the address that the proxy in front tells. */
export interface Visitor {
  readonly user: Person
  readonly address: string
}

export type Browser = ReturnType<typeof createBrowser>

/** A browser whose cookies can be forgotten, but for what makes it a known device; `post` sends a form. */
export function createBrowser(url: URL, visitor: Visitor) {
  const client = new Client(url, { pipelining: 1, keepAliveTimeout: 60_000, headersTimeout: 30_000, bodyTimeout: 30_000 })
  const jar = new Map<string, Cookie>()

  const send = async (method: 'GET' | 'POST', path: string, headers: Record<string, string>, body?: string): Promise<Answer> => {
    const cookie = jar.size === 0 ? '' : cookiesFor(jar, path)
    const answer = await client.request({ method, path, headers: cookie ? { ...headers, cookie } : headers, body })
    keepCookies(jar, answer.headers['set-cookie'])
    const location = answer.headers.location
    return { status: answer.statusCode, location: typeof location === 'string' ? location : undefined, body: await answer.body.text() }
  }
  return {
    url,
    visitor,
    get: (path: string, headers: Record<string, string> = {}) => send('GET', path, headers),
    post: (path: string, form: string, headers: Record<string, string> = {}) =>
      send('POST', path, { ...headers, 'content-type': 'application/x-www-form-urlencoded' }, form),
    forget: () => {
      for (const key of jar.keys()) if (!isOfDevice(key)) jar.delete(key)
    },
    close: () => client.close(),
  }
}

// What a browser keeps when somebody signs out: by it the server knows the device again, and sends no mail about a new one.
const isOfDevice = (key: string): boolean => /^(__Host-)?device /.test(key)

function cookiesFor(jar: ReadonlyMap<string, Cookie>, path: string): string {
  const matching: string[] = []
  for (const cookie of jar.values()) if (path.startsWith(cookie.path)) matching.push(`${cookie.name}=${cookie.value}`)
  return matching.join('; ')
}

function keepCookies(jar: Map<string, Cookie>, header: string | string[] | undefined): void {
  if (header === undefined) return
  for (const line of Array.isArray(header) ? header : [header]) {
    const [pair = '', ...attributes] = line.split(';')
    const equals = pair.indexOf('=')
    const [name, value] = [pair.slice(0, equals), pair.slice(equals + 1)]
    const told = new Map(attributes.map(attribute => attribute.trim().split('=', 2)).map(([key = '', text = '']) => [key.toLowerCase(), text]))
    const path = told.get('path') ?? '/'
    const isEnded = value === '' || told.get('max-age') === '0' || Date.parse(told.get('expires') ?? '') < Date.now()
    if (isEnded) jar.delete(`${name} ${path}`)
    else jar.set(`${name} ${path}`, { name, value, path })
  }
}
