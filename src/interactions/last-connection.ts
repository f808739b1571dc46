// Remembers in a browser by which connection somebody signed in last, so that its button says so.
import { z } from 'zod'
import { createSealedCookie, type SealedCookie } from '../platform/http/sealed-cookie.ts'
import type { Secrets } from '../platform/secrets.ts'

const schema = z.object({ id: z.string() })
const yearSeconds = 365 * 86_400

/** Where it is remembered. */
export type LastConnection = SealedCookie<z.output<typeof schema>>

/** Makes the cookie. */
export const createLastConnection = (given: { secrets: Secrets; isSecure: boolean }): LastConnection =>
  createSealedCookie({ ...given, name: 'connection', schema, ttlSeconds: yearSeconds })
