// The names that are the service's own: nobody else's client bears one.
import { productName } from '../platform/branding.ts'
import { Problem } from '../platform/errors.ts'
import { likenessOf } from './open-bounds.ts'

/** Whether a client of whoever is no administrator must not be called so: it is, or bears, what looks like a name of the service itself. */
export type IsReservedName = (name: string) => boolean

// A shorter one stands by chance in many another.
const minBorne = 5

/** Makes it, of the product's name and that under which the service sends mail; `mailFrom`: such as `Acme ID <no-reply@acme.example>`. */
export const createIsReservedName = (mailFrom: string): IsReservedName => {
  const names = [productName, /^([^<]+)</.exec(mailFrom)?.[1] ?? '']
  const own = names.map(likenessOf).filter(likeness => likeness !== '')
  return name => {
    const likeness = likenessOf(name)
    return own.some(one => likeness === one || (one.length >= minBorne && likeness.includes(one)))
  }
}

/** The refusal of a name that people would take for one of ours. */
export const nameAlike = () =>
  new Problem('validation_failed', { fields: [{ path: 'name', code: 'name_alike', message: 'looks like the name of an app of ours' }] })
