// What changed of a session between its reading and its keeping.
import { isDeepStrictEqual } from 'node:util'
import type { AdapterPayload } from 'oidc-provider'
import { isObject } from '../platform/values.ts'
import type { Payload } from './artifact.ts'
import { proverOf } from './session-fields.ts'

const keptSeconds = 3600

/** Whether a proof came to it. A step up keeps the time of the sign-in and adds to how it was proven. */
export const isProvenAnew = (before: Payload | undefined, after: AdapterPayload) =>
  isSignedInAnew(before, after) || JSON.stringify(after.amr) !== JSON.stringify(before?.amr)

/** Whether somebody signed in. */
export const isSignedInAnew = (before: Payload | undefined, after: AdapterPayload) =>
  after.loginTs !== before?.loginTs || after.accountId !== before?.accountId || !isDeepStrictEqual(proverOf(after), proverOf(before))

/** Whether there is nothing to write. The expiry moves with every use; it alone is worth a write once an hour. */
export const isSame = (before: Payload, after: AdapterPayload) => {
  const { exp: oldExpiry, iat: _oldIssue, ...old } = before
  const { exp: newExpiry, iat: _newIssue, ...given } = JSON.parse(JSON.stringify(after))
  return Number(newExpiry) - Number(oldExpiry) < keptSeconds && canonical(old) === canonical(given)
}

const canonical = (value: object) => JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))

/** The members that changed, and the names of those that went. What JSON does not hold is not there. */
export const difference = (before: unknown, after: unknown) => {
  const old = isObject(before) ? before : {}
  const given = Object.entries(isObject(after) ? after : {}).filter(([, value]) => value !== undefined)
  const names = new Set(given.map(([name]) => name))
  return {
    changed: Object.fromEntries(given.filter(([name, value]) => JSON.stringify(old[name]) !== JSON.stringify(value))),
    removed: Object.keys(old).filter(name => !names.has(name)),
  }
}
