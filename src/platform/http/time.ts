// What a time may be: ISO 8601 with its offset, in a year that has four digits in UTC too, for that is what is told and kept.
import { z } from 'zod'

const isOfFourDigits = (value: string): boolean => {
  const year = new Date(value).getUTCFullYear()
  return year >= 1 && year <= 9999
}

/** A time in a query or body. */
export const time = z.iso.datetime({ offset: true }).refine(isOfFourDigits, 'must be in the years 1 to 9999')
