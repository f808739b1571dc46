// What may stand in a body: text without U+0000, which PostgreSQL cannot keep, halves of surrogate pairs, and U+FFFD, which stands where bytes were
// no UTF-8 (RFC 8259 §8.1): all passwords of such bytes would be one. And nested so deep.
import { z } from 'zod'

// Far beyond what anybody means, and far from where the stack ends for whoever looks through a value by recursion.
const maxDepth = 64
const hidden = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u
// The blank of Braille is a sign by its class.
const visible = /[^\p{C}\p{Z}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u
const link = /:\/\/|\bwww\./i

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

/** An id of ours as a path, query or body names it: in small letters afterwards. */
export const uuid = z.uuid().toLowerCase()

/** The tag of a language, as far as languages are told apart (BCP 47). */
export const languageTag = text(35).regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'must be a language tag such as de')

/** What is searched for or called by: one Unicode form, so that what looks alike is alike, and nothing but spaces is nothing. */
export const words = (maxLength: number) => text(maxLength).normalize('NFC').trim().min(1)

/** Whether text is one line that shows what it says: no control characters, line ends, or marks that turn what stands around them. */
export const isOneLine = (value: string): boolean => !hidden.test(value)

/** Whether text shows anything: letters, digits or signs, and not only spaces, fillers, and marks on nothing. */
export const isVisible = (value: string): boolean => visible.test(value)

/** A name that its owner's own people read. */
export const name = (maxLength: number) =>
  words(maxLength)
    .refine(isOneLine, { error: 'must be one line without control characters', params: { code: 'name_hidden' } })
    .refine(isVisible, { error: 'must show something', params: { code: 'name_hidden' } })

/** A name that mails carry to strangers, whose mail programs make links of what looks like one. */
export const mailedName = (maxLength: number) =>
  name(maxLength).refine(value => !link.test(value), { error: 'must not hold a link', params: { code: 'name_link' } })

/** A name that is there already as a mail may carry it, or what stands for it and for one that is not there. */
export const mailable = (given: string | null | undefined, otherwise: string): string => mailedName(255).safeParse(given).data ?? otherwise

// Not by recursion: a small body may be nested deeper than the stack is.
function* levelsOf(value: unknown) {
  for (let level: readonly unknown[] = [value]; level.length > 0; level = level.flatMap(membersOf)) yield level
}

const noText = /[\0\ufffd]/

const isNoText = (value: unknown) => typeof value === 'string' && (noText.test(value) || !value.isWellFormed())

const membersOf = (value: unknown): readonly unknown[] => (typeof value === 'object' && value !== null ? [...Object.keys(value), ...Object.values(value)] : [])
