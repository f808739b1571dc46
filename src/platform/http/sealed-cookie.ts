// Keeps something in a browser between two pages: sealed, so that it can be neither read nor made, and for one path alone.
import type { Context } from 'koa'
import type { z } from 'zod'
import type { Secrets } from '../secrets.ts'

/** A cookie with a value of ours in it. */
export interface SealedCookie<Value> {
  /** `undefined` where there is none, or one that we did not make for this place. */
  read(ctx: Context, place?: Place): Value | undefined
  write(ctx: Context, value: Value, place?: Place): void
  clear(ctx: Context, place?: Place): void
}

/** Where a cookie is sent, and what its value is bound to. */
interface Place {
  readonly path: string
  readonly binding: string
}

interface Options<Schema> {
  readonly name: string
  readonly schema: Schema
  readonly secrets: Secrets
  readonly isSecure: boolean
  readonly ttlSeconds?: number
}

const everywhere: Place = { path: '/', binding: '' }

/** Makes it. Where the cookie is for the whole host, its name says so to the browser (RFC 6265bis §4.1.3.2). */
export const createSealedCookie = <Schema extends z.ZodType>({
  name,
  schema,
  secrets,
  isSecure,
  ttlSeconds,
}: Options<Schema>): SealedCookie<z.output<Schema>> => {
  const nameAt = ({ path }: Place) => (isSecure && path === '/' ? `__Host-${name}` : name)
  const attributes = ({ path }: Place) => ({ httpOnly: true, sameSite: 'lax', secure: isSecure, signed: false, overwrite: true, path }) as const
  return {
    read: (ctx, place = everywhere) => {
      const sealed = ctx.cookies.get(nameAt(place), { signed: false })
      if (!sealed) return undefined
      try {
        return schema.parse(JSON.parse(secrets.unseal('form', sealed, `${name}\0${place.binding}`)))
      } catch {
        return undefined // somebody changed their own cookie, or it is of another place: there is none
      }
    },
    write: (ctx, value, place = everywhere) =>
      ctx.cookies.set(nameAt(place), secrets.seal('form', JSON.stringify(value), `${name}\0${place.binding}`), {
        ...attributes(place),
        ...(ttlSeconds === undefined ? {} : { maxAge: ttlSeconds * 1000 }),
      }),
    clear: (ctx, place = everywhere) => ctx.cookies.set(nameAt(place), null, attributes(place)),
  }
}
