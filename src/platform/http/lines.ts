// Answers with lines of JSON (NDJSON) as fast as the caller takes them, and stops reading when the caller is gone.
//
// The first line is made before anything is answered, so that what fails at once is told as every Problem is. What fails later destroys the
// connection: an answer that was cut must not look like a whole one. Koa logs it.
import { Readable } from 'node:stream'
import type { Context } from 'koa'
import type { z } from 'zod'

const chunkLength = 65_536

/** Sends them, each stripped by its schema. */
export const sendLines = async (ctx: Context, { line, lines }: { line: z.ZodType; lines: unknown }): Promise<void> => {
  if (!isAsyncIterable(lines)) throw new Error('a route of lines gave none')
  const texts = textsOf(line, lines)
  const first = await texts.next()
  ctx.status = 200
  ctx.set('Cache-Control', 'no-store')
  ctx.set('X-Accel-Buffering', 'no')
  ctx.type = 'application/x-ndjson'
  const stream = Readable.from(resume(first, texts), { objectMode: false })
  // Where nobody began to read, too, what is open below is closed.
  stream.once('close', () => texts.return().catch(error => ctx.app.emit('error', error, ctx)))
  ctx.body = stream
}

/** Several lines at a time, for a stream takes each chunk with some ado. */
const textsOf = async function* (line: z.ZodType, lines: AsyncIterable<unknown>): AsyncGenerator<string, void> {
  let text = ''
  for await (const one of lines) {
    text += `${JSON.stringify(line.parse(one))}\n`
    if (text.length < chunkLength) continue
    yield text
    text = ''
  }
  if (text !== '') yield text
}

const resume = async function* (first: IteratorResult<string, void>, rest: AsyncIterable<string>): AsyncGenerator<string, void> {
  if (first.done) return
  yield first.value
  yield* rest
}

const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> => typeof value === 'object' && value !== null && Symbol.asyncIterator in value
