// A small balancer before several processes: by turns, kept-alive connections, nobody who is not ready unless nobody is, and no second try.
import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream'
import { isReady } from './process.ts'

/** It listens on localhost. */
export interface Balancer {
  readonly origin: string
  /** Leads requests to these, as soon as they are ready. */
  lead(origins: readonly string[]): void
  close(): void
}

const lookMilliseconds = 100

/** Starts it; it leads nowhere yet. */
export async function startBalancer(): Promise<Balancer> {
  const agent = new Agent({ keepAlive: true })
  let origins: readonly string[] = []
  const ready = new Set<string>()
  const looking = new Set<string>()
  let turn = 0
  // Each is asked for itself, and once at a time: what was heard before somebody's long silence would be told of the others after it.
  const look = async (origin: string) => {
    if (looking.has(origin)) return
    looking.add(origin)
    const isFit = await isReady(origin).finally(() => looking.delete(origin))
    ready[isFit ? 'add' : 'delete'](origin)
  }
  const server = createServer((incoming, outgoing) => {
    const fit = origins.filter(one => ready.has(one))
    const led = fit.length > 0 ? fit : origins
    const origin = led[turn++ % led.length]
    if (origin === undefined) return void outgoing.writeHead(502).end()
    const { connection: _connection, ...headers } = incoming.headers
    const beyond = request(new URL(incoming.url ?? '/', origin), { agent, method: incoming.method, headers }, answer => {
      const { connection: _theirs, 'keep-alive': _theirTime, ...told } = answer.headers
      outgoing.writeHead(answer.statusCode ?? 502, told)
      pipeline(answer, outgoing, error => error && outgoing.destroy())
    })
    beyond.on('error', () => {
      // Whoever breaks off is asked nothing until it says that it is ready.
      ready.delete(origin)
      outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()
    })
    incoming.pipe(beyond)
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const timer = setInterval(() => origins.map(look), lookMilliseconds)
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    lead: given => {
      origins = given
    },
    close: () => {
      clearInterval(timer)
      agent.destroy()
      server.close()
      server.closeAllConnections()
    },
  }
}
