// The words of this slice: what counts as a picture, told by its bytes and not by who sent it.

import { z } from 'zod'
import type { JobKind } from '../platform/jobs/job.ts'

/** A picture. */
export interface Image {
  readonly type: string
  readonly bytes: Buffer
}

/** The largest that is kept. */
export const maxImageBytes = 500 * 1024

/** Fetches the picture of a client that registered itself, where there is one. */
export const keepImage: JobKind<{ address: string }> = { name: 'image.keep', schema: z.object({ address: z.string() }), maxAttempts: 3 }

// By the first bytes, in hexadecimal.
const signatures: readonly (readonly [type: string, pattern: RegExp])[] = [
  ['image/png', /^89504e470d0a1a0a/],
  ['image/jpeg', /^ffd8ff/],
  ['image/gif', /^474946383[79]61/],
  ['image/webp', /^52494646.{8}57454250/],
  ['image/x-icon', /^00000100/],
]
const svgStart = /^\s*(?:<\?xml[^>]*>\s*|<!--(?:(?!-->)[\s\S])*-->\s*|<!DOCTYPE\s+svg[^>[]*>\s*)*<svg[\s>]/i
// As a picture in a page none of this runs or loads; opened by itself it would.
const active = /<script|<foreignobject|<(?:\w+:)?handler|\son\w+\s*=|javascript:|<!entity/i

/** The media type that the bytes are of; `undefined` for what is no picture, or an SVG with something in it that acts. */
export const typeOfImage = (bytes: Buffer): string | undefined => {
  const found = signatures.find(([, pattern]) => pattern.test(bytes.toString('hex', 0, 16)))
  if (found) return found[0]
  const text = bytes.toString('utf8').replace(/^\ufeff/, '')
  return svgStart.test(text) && !active.test(text) ? 'image/svg+xml' : undefined
}
