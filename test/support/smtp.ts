// A real SMTP server of the test's own, which takes mail, refuses it or says nothing.
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

/** A mail as it came over the wire. */
export interface Delivered {
  readonly from: string
  readonly to: readonly string[]
  readonly raw: string
  readonly mail: Email
  readonly isEncrypted: boolean
}

/** Starts it on a free port. `refuse` is asked with each message and may answer an SMTP status. */
export async function startSmtp(options: SMTPServerOptions & { refuse?: (attempt: number) => number | undefined } = {}) {
  const delivered: Delivered[] = []
  let attempts = 0
  const { refuse, ...rest } = options
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    ...rest,
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', async () => {
        attempts += 1
        const status = refuse?.(attempts)
        if (status !== undefined) return callback(Object.assign(new Error('refused'), { responseCode: status }))
        const raw = Buffer.concat(chunks)
        const { mailFrom, rcptTo } = session.envelope
        delivered.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          raw: raw.toString('latin1'),
          mail: await PostalMime.parse(raw),
          isEncrypted: session.secure,
        })
        callback()
      })
    },
  })
  // A client that leaves in the middle is no fault of the test.
  server.on('error', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  return {
    port,
    url: `smtp://127.0.0.1:${port}`,
    delivered,
    attempts: () => attempts,
    close: () => new Promise<void>(resolve => server.close(() => resolve())),
  }
}

/** A server that takes connections and never says a word. */
export async function startSilence() {
  const server = createServer(() => undefined).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `smtp://127.0.0.1:${port}`, close: () => server.close() }
}
