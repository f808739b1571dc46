// Holds what a browser says of where it wants to go to the paths of this server.

/**
 * The path and query on this server that an address stands for, as a browser would read it; `undefined` for any other.
 * Whatever dots and slashes it was written with, what comes back begins with one slash and cannot be read as another host.
 */
export const ownPath = (address: string, issuer: string): string | undefined => {
  if (!isPath.test(address) || hasControl.test(address)) return undefined
  const read = URL.parse(address, issuer)
  if (read?.origin !== new URL(issuer).origin) return undefined
  const path = `${read.pathname}${read.search}`
  // Dots may have made two slashes of one: what is sent is read once more, as the browser will.
  return isPath.test(path) && URL.parse(path, issuer)?.origin === read.origin ? path : undefined
}

const isPath = /^\/(?![/\\])/
const hasControl = /\p{Cc}/u
