// What text may be: neither U+0000, which PostgreSQL cannot keep, nor half of a surrogate pair.
import { z } from 'zod'

/** Whether a string, or every string inside a value, is text that can be kept. */
export const isPlainText = (value: unknown): boolean => {
  // A list instead of recursion: a small body may be nested deeper than the stack is.
  const left: unknown[] = [value]
  while (left.length > 0) {
    const next = left.pop()
    if (typeof next === 'string' && (next.includes('\0') || !next.isWellFormed())) return false
    if (typeof next === 'object' && next !== null) for (const [key, member] of Object.entries(next)) left.push(key, member)
  }
  return true
}

/** A string of a form or body, bounded in length. */
export const text = (maxLength: number) => z.string().max(maxLength).refine(isPlainText, 'contains characters that text cannot have')

/** A name or what is searched for: one Unicode form, so that what looks alike is alike, and nothing but spaces is nothing. */
export const words = (maxLength: number) => text(maxLength).normalize('NFC').trim().min(1)
