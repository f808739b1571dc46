// How keys live: their settings, and what is made of them.
import { z } from 'zod'
import { wholeNumber } from './setting-schemas.ts'

const withDefault = (schema: z.ZodCoercedNumber, value: number) => z.preprocess(given => (given === '' || given === undefined ? value : given), schema)

/** Their variables. */
export const keySettings = {
  SECRET_KEY_PREVIOUS: z.preprocess(
    given => given ?? '',
    z
      .string()
      .transform(list => list.split(',').flatMap(one => one.trim() || []))
      .pipe(z.array(z.string().min(32, 'must be keys of at least 32 characters, separated by commas'))),
  ),
  KEY_ROTATION_DAYS: withDefault(wholeNumber({ of: 'days', least: 0, most: 3650, note: '; 0 lets keys become as old as they like' }), 90),
  JWKS_MAX_AGE_SECONDS: withDefault(wholeNumber({ of: 'seconds', least: 1, most: 86_400 }), 300),
}

interface Given {
  readonly SECRET_KEY_PREVIOUS: readonly string[]
  readonly KEY_ROTATION_DAYS: number
  readonly JWKS_MAX_AGE_SECONDS: number
}

/** The settings, parsed. */
export interface KeyConfig {
  /** What SECRET_KEY was, or is about to be: opened with, never sealed under. */
  readonly previousSecretKeys: readonly string[]
  readonly keys: {
    /** How old a signing key becomes; 0: as old as it is let be. */
    readonly rotationDays: number
    /** For how long clients may keep our JWKS: a key signs only after it was published for longer. */
    readonly jwksMaxAgeSeconds: number
  }
}

/** What is made of them. */
export const keyConfigOf = (given: Given): KeyConfig => ({
  previousSecretKeys: given.SECRET_KEY_PREVIOUS,
  keys: { rotationDays: given.KEY_ROTATION_DAYS, jwksMaxAgeSeconds: given.JWKS_MAX_AGE_SECONDS },
})
