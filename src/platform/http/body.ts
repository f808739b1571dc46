// Reads the body of a request as its route takes it: a small JSON object, or many rows as JSON or NDJSON.
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Context } from 'koa'
import { HttpMethodEnum, koaBody } from 'koa-body'
import { Problem } from '../errors.ts'
import { mapInSlices } from '../slices.ts'
import type { Route, Rows } from './route.ts'
import { isPlainText, isTooDeep } from './text.ts'

// Of a row, as a line of NDJSON or in the array of a JSON object.
const maxRowBytes = 16_384
const maxFaults = 100
const lineFeed = 10

// A route that takes nothing refuses whatever comes, by whatever method.
const parsedMethods = [HttpMethodEnum.POST, HttpMethodEnum.PUT, HttpMethodEnum.PATCH, HttpMethodEnum.DELETE]
const parseSmall = koaBody({ parsedMethods, multipart: false, urlencoded: false, text: false, jsonStrict: true, jsonLimit: '100kb' })

/**
 * The body, to be validated by the route. Throws `unsupported_media_type`, `payload_too_large`, `malformed_body` (which names the
 * lines that are no JSON) and `malformed_text`. The texts inside rows are not looked at: who takes them checks each row for itself.
 */
export const readBody = async ({ method, rows }: Route, ctx: Context): Promise<unknown> => {
  if (method === 'GET') return {}
  const type = hasBody(ctx.headers) ? ctx.is('application/json', ...(rows ? ['application/x-ndjson'] : [])) : 'application/json'
  if (!type) throw new Problem('unsupported_media_type')
  if (rows) return type === 'application/json' ? readJson(ctx, rows) : readLines(ctx, rows)
  await parseSmall(ctx as never, async () => undefined)
  const body = ctx.request.body ?? {}
  if (isTooDeep(body)) throw new Problem('malformed_body')
  if (!isPlainText(body)) throw new Problem('malformed_text')
  return body
}

/** Whether a request comes with a body (RFC 9112 §6.3). */
export const hasBody = ({ 'content-length': length, 'transfer-encoding': encoding }: IncomingHttpHeaders): boolean =>
  Number(length ?? 0) > 0 || encoding !== undefined

type Read = { readonly value: unknown } | { readonly fault: string }

const tooLong: Read = { fault: `is longer than ${maxRowBytes} bytes` }

const checked = (read: Read): Read => ('value' in read && isTooDeep(read.value) ? { fault: 'is nested too deeply' } : read)

const readJson = async (ctx: Context, { field, max, maxJsonBytes }: Rows): Promise<unknown> => {
  const bytes = await receive(ctx, maxJsonBytes)
  if (bytes.length === 0) return {}
  const read = parse(bytes)
  if ('fault' in read) throw new Problem('malformed_body')
  const rows = await mapInSlices(rowsOf(read.value, field).slice(0, max), value => {
    const row = checked({ value })
    return 'value' in row && Buffer.byteLength(JSON.stringify(value)) > maxRowBytes ? tooLong : row
  })
  refuseFaults(rows, field)
  return read.value
}

const rowsOf = (value: unknown, field: string): readonly unknown[] => {
  const rows: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined
  return Array.isArray(rows) ? rows : []
}

const readLines = async (ctx: Context, { field, max, maxLineStreamBytes }: Rows): Promise<unknown> => {
  const bytes = await receive(ctx, maxLineStreamBytes)
  const lines = await mapInSlices(linesOf(bytes, max + 1), line => (line.length > maxRowBytes ? tooLong : checked(parse(line))))
  refuseFaults(lines, field)
  return { [field]: lines.map(line => ('value' in line ? line.value : undefined)) }
}

const refuseFaults = (rows: readonly Read[], field: string) => {
  const fields = rows.flatMap((row, index) => ('fault' in row ? [{ path: `${field}.${index}`, message: row.fault }] : []))
  if (fields.length > 0) throw new Problem('malformed_body', { fields: fields.slice(0, maxFaults) })
}

// As many as may be and one more, which is too many: that is for the route to say.
function* linesOf(bytes: Buffer, most: number) {
  for (let from = 0, count = 0; from < bytes.length && count < most; count += 1) {
    const end = bytes.indexOf(lineFeed, from)
    const to = end === -1 ? bytes.length : end
    yield bytes.subarray(from, to)
    from = to + 1
  }
}

const parse = (bytes: Buffer): Read => {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) }
  } catch (error) {
    if (error instanceof SyntaxError) return { fault: 'is not JSON' }
    if (error instanceof TypeError) return { fault: 'is not UTF-8' }
    throw error
  }
}

// The digest of what came stands for the body where requests are compared: writing a large one out again would hold up others.
const receive = async (ctx: Context, limit: number): Promise<Buffer> => {
  if ((ctx.request.length ?? 0) > limit) throw tooLarge(ctx)
  const chunks: Buffer[] = []
  const digest = createHash('sha256').update(`${ctx.get('Content-Type')}\n`)
  let size = 0
  try {
    for await (const chunk of ctx.req.iterator({ destroyOnReturn: false })) {
      size += chunk.length
      if (size > limit) throw tooLarge(ctx)
      digest.update(chunk)
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem('malformed_body', { cause: error })
  }
  ctx.state.bodyDigest = digest.digest('base64url')
  return Buffer.concat(chunks)
}

// The rest is not read.
const tooLarge = (ctx: Context): Problem => {
  ctx.set('Connection', 'close')
  return new Problem('payload_too_large')
}
