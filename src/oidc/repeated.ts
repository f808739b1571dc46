// An authorization request that is made once more by the browser that made it.
import { paths } from './paths.ts'

interface Asked {
  readonly params: Readonly<Record<string, unknown>>
  readonly trusted?: readonly string[] | undefined
  readonly parJti?: string | undefined
  readonly deviceCode?: string | undefined
}

const mostCharacters = 2500

/** Its address; none for what only the client or a device can ask, or for what is too long to be kept in a browser. */
export const repeatedOf = ({ params, trusted = [], parJti, deviceCode }: Asked): string | undefined => {
  if (trusted.length > 0 || parJti !== undefined || deviceCode !== undefined) return undefined
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) for (const one of [value].flat()) if (one !== undefined && one !== null) query.append(name, String(one))
  const address = `${paths.authorization}?${query}`
  return address.length > mostCharacters ? undefined : address
}
