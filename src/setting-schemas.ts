// The shapes that several settings share, each with one sentence for whatever else is given.
import { z } from 'zod'

interface Bounds {
  /** What is counted, such as `seconds`. */
  readonly of: string
  readonly least: number
  readonly most: number
  /** What there is more to say, in the same sentence. */
  readonly note?: string
}

/** A whole number, both bounds among them. */
export const wholeNumber = ({ of, least, most, note = '' }: Bounds) =>
  z.coerce.number(`must be a whole number of ${of} from ${least} to ${most}${note}`).int().min(least).max(most)

/** One of several words, and no other. */
export const oneOf = <const Words extends readonly [string, string, ...string[]]>(...words: Words) =>
  z.enum(words, `must be ${words.slice(0, -1).join(', ')} or ${words.at(-1)}`)

/** A text in which nothing is found that is wrong; what is found is said of the setting. */
export const without = (find: (value: string) => string | undefined) =>
  z.string().superRefine((value, ctx) => {
    const message = find(value)
    if (message !== undefined) ctx.addIssue({ code: 'custom', message })
  })
