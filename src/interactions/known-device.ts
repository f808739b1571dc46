// Remembers in a browser who signed in there, so that nobody elsewhere can close their account to them.
import type { Context } from 'koa'
import { z } from 'zod'
import type { KnownDevice } from '../authentication/authentication.ts'
import { multiFactor } from '../mfa/authenticator.ts'
import type { Secrets } from '../platform/secrets.ts'

/** Reads and writes the sealed cookie. */
export interface KnownDevices {
  read(ctx: Context): KnownDevice | undefined
  /** `amr` is what they have proven in it. */
  remember(ctx: Context, userId: string, amr?: readonly string[]): void
}

interface Needs {
  readonly secrets: Secrets
  readonly isSecure: boolean
  readonly newId: () => string
}

const keptUsers = 5
const yearMilliseconds = 365 * 86_400_000
// The version before kept no second factors.
const content = z.object({ id: z.string(), userIds: z.array(z.string()), twoFactorIds: z.array(z.string()).default([]) })

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
    remember: (ctx, userId, amr = []) => {
      const known = read(ctx)
      const hasTwoFactors = amr.includes(multiFactor) || (known?.twoFactorIds.includes(userId) ?? false)
      if (known?.userIds[0] === userId && known.twoFactorIds.includes(userId) === hasTwoFactors) return
      const userIds = firstOf(userId, known?.userIds)
      const twoFactorIds = hasTwoFactors ? firstOf(userId, known?.twoFactorIds) : known?.twoFactorIds
      const sealed = secrets.seal('form', JSON.stringify({ id: known?.id ?? newId(), userIds, twoFactorIds }), 'device')
      ctx.cookies.set(name, sealed, { httpOnly: true, sameSite: 'lax', secure: isSecure, signed: false, overwrite: true, path: '/', maxAge: yearMilliseconds })
    },
  }
}

const firstOf = (userId: string, others: readonly string[] = []) => [userId, ...others.filter(other => other !== userId)].slice(0, keptUsers)
