// Sends bytes that no HTTP library would, and reads what the server makes of them.
import { once } from 'node:events'
import { connect } from 'node:net'

/** What came back first on the connection; status 0 where nothing did. */
export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Sends the parts one after another and reads until the server closes or `milliseconds` pass. */
export async function sendRaw(origin: string, parts: readonly (string | Buffer)[], milliseconds = 5000): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin)
  const socket = connect(Number(port), hostname)
  const chunks: Buffer[] = []
  const closed = once(socket, 'close')
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  // The server may close while we are still sending: what it said before is the answer.
  socket.on('error', () => socket.destroy())
  socket.setTimeout(milliseconds, () => socket.destroy())
  await Promise.race([once(socket, 'connect'), closed])
  for (const part of parts) if (!socket.destroyed) socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part)
  await closed
  return parse(Buffer.concat(chunks).toString('latin1'))
}

/** The lines of a request head; the connection is closed after the answer. */
export const head = (first: string, ...lines: string[]): string => [first, ...lines, 'Connection: close', '', ''].join('\r\n')

function parse(text: string): RawAnswer {
  const [top = '', ...rest] = text.split('\r\n\r\n')
  const [first = '', ...lines] = top.split('\r\n')
  const headers = lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])
  return { status: Number(first.split(' ')[1] ?? 0), headers: Object.fromEntries(headers), body: rest.join('\r\n\r\n') }
}
