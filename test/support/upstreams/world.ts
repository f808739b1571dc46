// The world as tests have it: the origins of known providers lead to servers of the tests, so that what is tested uses the real addresses.
import { plantTokens } from '../canaries.ts'
import type { Person } from '../person.ts'

/** A server that stands in for some origins. */
export interface Standing {
  readonly origins: readonly string[]
  /** The origin that it listens at. */
  readonly local: string
}

/** Where a request for an address goes, and what it has to say there. */
export const throughWorld = (world: readonly Standing[], url: URL): { address: URL; headers: Record<string, string> } => {
  const standing = world.find(({ origins }) => origins.includes(url.origin))
  if (!standing || standing.local === url.origin) return { address: url, headers: {} }
  const headers = { 'x-forwarded-host': url.host, 'x-forwarded-proto': url.protocol.slice(0, -1) }
  return { address: new URL(url.pathname + url.search, standing.local), headers }
}

/** Leads a `fetch` through the world. */
export const fetchThrough =
  (world: readonly Standing[], through: typeof fetch): typeof fetch =>
  (input, init) => {
    const { address, headers } = throughWorld(world, new URL(input instanceof Request ? input.url : input))
    const own = init?.headers
    return through(address, { ...init, headers: { ...(own instanceof Headers ? Object.fromEntries(own) : (own as Record<string, string>)), ...headers } })
  }

/** Follows redirects inside of the world's servers, and answers the first address that is outside. */
export const walk = async (going: { url: URL; world: readonly Standing[]; browser: Person; headers: Record<string, string> }): Promise<URL> => {
  const inside = new Set(going.world.flatMap(({ origins, local }) => [...origins, local]))
  let { url } = going
  for (let step = 0; step < 12; step += 1) {
    if (!inside.has(url.origin)) {
      plantTokens(Object.fromEntries(url.searchParams))
      return url
    }
    const { address, headers } = throughWorld(going.world, url)
    const answer = await going.browser.send(address, { headers: { ...going.headers, ...headers } })
    const location = answer.headers.get('location')
    if (location === null) throw new Error(`the upstream stays at ${url.pathname}: ${answer.status} ${answer.body.slice(0, 300)}`)
    url = new URL(location, url)
  }
  throw new Error(`the upstream leads in circles: ${url}`)
}
