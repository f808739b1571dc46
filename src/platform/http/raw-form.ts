// Reads a posted form as it was written: whoever checks what is in it reads the same text.
import type { Context } from 'koa'
import { Problem } from '../errors.ts'

/** The body. Throws `unsupported_media_type` for what is no form, and `payload_too_large`. */
export const readRawForm = async (ctx: Context, maxBytes: number): Promise<string> => {
  if (!ctx.is('application/x-www-form-urlencoded')) throw new Problem('unsupported_media_type')
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of ctx.req.iterator({ destroyOnReturn: false })) {
      size += chunk.length
      if (size > maxBytes) throw new Problem('payload_too_large')
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem('malformed_body', { cause: error })
  }
  return Buffer.concat(chunks).toString('utf8')
}
