// Asks the DNS for TXT records, within little time, and tells «there is none» from «nobody answered».
import { Resolver } from 'node:dns/promises'
import { Problem } from './errors.ts'

/** The texts of a name's TXT records; none where there are none. Throws `dns_unavailable` where the DNS does not say. */
export type ResolveTxt = (name: string) => Promise<readonly string[]>

// NXDOMAIN, and a name without a record of this kind.
const absent = new Set(['ENOTFOUND', 'ENODATA'])

/** Makes it over the servers of the machine, unless others are named as `address:port`. */
export const createResolveTxt = ({ servers }: { readonly servers?: readonly string[] } = {}): ResolveTxt => {
  const resolver = new Resolver({ timeout: 2000, tries: 2 })
  if (servers) resolver.setServers(servers)
  return async name => {
    try {
      // RFC 7208 §3.3: the parts of one record are one text.
      return (await resolver.resolveTxt(name)).map(parts => parts.join(''))
    } catch (error) {
      if (error instanceof Error && 'code' in error && absent.has(String(error.code))) return []
      throw new Problem('dns_unavailable', { cause: error, retryAfterSeconds: 30 })
    }
  }
}
