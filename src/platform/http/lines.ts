// Answers with lines of JSON (NDJSON) as fast as the caller takes them, and stops reading when the caller is gone.
//
// The first line is made before anything is answered, so that what fails at once is told as every Problem is. What fails later destroys the
// connection: an answer that was cut must not look like a whole one. Koa logs it. So does a caller who stops reading: what is open for them is dear.
import { Readable } from 'node:stream'
import type { Context } from 'koa'
import type { z } from 'zod'

const chunkLength = 65_536
const idleMilliseconds = 30_000

interface Lines {
  readonly line: z.ZodType
  readonly lines: unknown
  /** How long a caller may take nothing. */
  readonly patienceMilliseconds?: number
}

/** Sends them, each stripped by its schema. */
export const sendLines = async (ctx: Context, { line, lines, patienceMilliseconds = idleMilliseconds }: Lines): Promise<void> => {
  if (!isAsyncIterable(lines)) throw new Error('a route of lines gave none')
  const texts = textsOf(line, lines)
  const first = await texts.next()
  ctx.status = 200
  ctx.set('Cache-Control', 'no-store')
  ctx.set('X-Accel-Buffering', 'no')
  ctx.type = 'application/x-ndjson'
  const stream = Readable.from(resume(first, { rest: texts, within: impatience(ctx, patienceMilliseconds) }), { objectMode: false })
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

interface Resumed {
  readonly rest: AsyncIterable<string>
  /** Told when a chunk is handed over, and answers what is to be told when the next is asked for. */
  readonly within: () => () => void
}

const resume = async function* (first: IteratorResult<string, void>, { rest, within }: Resumed): AsyncGenerator<string, void> {
  if (first.done) return
  let taken = within()
  try {
    yield first.value
    taken()
    for await (const text of rest) {
      taken = within()
      yield text
      taken()
    }
  } finally {
    taken()
  }
}

/** Destroys the answer of a caller who does not ask for more in time. */
const impatience = (ctx: Context, milliseconds: number) => () => {
  const timer = setTimeout(() => ctx.res.destroy(), milliseconds)
  return () => clearTimeout(timer)
}

const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> => typeof value === 'object' && value !== null && Symbol.asyncIterator in value
