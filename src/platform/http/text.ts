// What may stand in a body: text that is neither U+0000, which PostgreSQL cannot keep, nor half of a surrogate pair, nested so deep.
import { z } from 'zod'

// Far beyond what anybody means, and far from where the stack ends for whoever looks through a value by recursion.
const maxDepth = 64

/** Whether a string, or every string inside a value, is text that can be kept. */
export const isPlainText = (value: unknown): boolean => {
  for (const level of levelsOf(value)) if (level.some(isNoText)) return false
  return true
}

/** Whether a value is nested deeper than is taken. */
export const isTooDeep = (value: unknown): boolean => {
  let depth = 0
  for (const _ of levelsOf(value)) {
    if (depth > maxDepth) return true
    depth += 1
  }
  return false
}

/** A string of a form or body, bounded in length. */
export const text = (maxLength: number) => z.string().max(maxLength).refine(isPlainText, 'contains characters that text cannot have')

/** A name or what is searched for: one Unicode form, so that what looks alike is alike, and nothing but spaces is nothing. */
export const words = (maxLength: number) => text(maxLength).normalize('NFC').trim().min(1)

// Not by recursion: a small body may be nested deeper than the stack is.
function* levelsOf(value: unknown) {
  for (let level: readonly unknown[] = [value]; level.length > 0; level = level.flatMap(membersOf)) yield level
}

const isNoText = (value: unknown) => typeof value === 'string' && (value.includes('\0') || !value.isWellFormed())

const membersOf = (value: unknown): readonly unknown[] => (typeof value === 'object' && value !== null ? [...Object.keys(value), ...Object.values(value)] : [])
