// What text may be: neither U+0000, which PostgreSQL cannot keep, nor half of a surrogate pair.
import { z } from 'zod'

/** Whether a string, or every string inside a value, is text that can be kept. */
export const isPlainText = (value: unknown): boolean => {
  if (typeof value === 'string') return !value.includes('\0') && value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([key, member]) => isPlainText(key) && isPlainText(member))
}

/** A string of a form or body, bounded in length. */
export const text = (maxLength: number) => z.string().max(maxLength).refine(isPlainText, 'contains characters that text cannot have')

/** A name or what is searched for: one Unicode form, so that what looks alike is alike, and nothing but spaces is nothing. */
export const words = (maxLength: number) => text(maxLength).normalize('NFC').trim().min(1)
