// Remembers in a browser who signed in there, so that nobody elsewhere can close their account to them.
import type { Context } from 'koa'
import { z } from 'zod'
import type { KnownDevice } from '../authentication/authentication.ts'
import type { Secrets } from '../platform/secrets.ts'

/** Reads and writes the sealed cookie. */
export interface KnownDevices {
  read(ctx: Context): KnownDevice | undefined
  remember(ctx: Context, userId: string): void
}

interface Needs {
  readonly secrets: Secrets
  readonly isSecure: boolean
  readonly newId: () => string
}

const keptUsers = 5
const yearMilliseconds = 365 * 86_400_000
const content = z.object({ id: z.string(), userIds: z.array(z.string()) })

/** Makes it. Somebody's own cookie is all they can present: it is sealed. */
export const createKnownDevices = ({ secrets, isSecure, newId }: Needs): KnownDevices => {
  const name = isSecure ? '__Host-device' : 'device'
  const read = (ctx: Context): KnownDevice | undefined => {
    const sealed = ctx.cookies.get(name, { signed: false })
    if (!sealed) return undefined
    try {
      return content.parse(JSON.parse(secrets.unseal('form', sealed, 'device')))
    } catch {
      return undefined // not ours, or sealed under another key: a browser like any other
    }
  }
  return {
    read,
    remember: (ctx, userId) => {
      const known = read(ctx)
      if (known?.userIds[0] === userId) return
      const userIds = [userId, ...(known?.userIds ?? []).filter(other => other !== userId)].slice(0, keptUsers)
      const sealed = secrets.seal('form', JSON.stringify({ id: known?.id ?? newId(), userIds }), 'device')
      ctx.cookies.set(name, sealed, { httpOnly: true, sameSite: 'lax', secure: isSecure, signed: false, overwrite: true, path: '/', maxAge: yearMilliseconds })
    },
  }
}
