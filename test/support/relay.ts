// A relay before a server, which can be cut, silenced, slowed, led elsewhere and mended: how networks fail.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A relay that listens on 127.0.0.1. */
export interface Relay {
  readonly port: number
  /** Ends all connections and refuses new ones at once. */
  cut(): void
  /** Takes connections and never answers. */
  hang(): void
  mend(): void
  /** Holds every packet back for so many milliseconds, asked anew each time. */
  slow(milliseconds: () => number): void
  /** Ends all connections and leads new ones to another server, as an address that moves. */
  lead(target: Target): void
  close(): void
}

/** Where a server listens. */
export interface Target {
  readonly host: string
  readonly port: number
}

/** Relays to a server. */
export async function startRelay(first: Target): Promise<Relay> {
  let target = first
  let delay = () => 0
  let mode: 'through' | 'cut' | 'hang' = 'through'
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy())
  }
  const server = createServer(socket => {
    keep(socket)
    if (mode === 'cut') socket.resetAndDestroy()
    if (mode !== 'through') return
    const beyond = connect(target)
    keep(beyond)
    forward(socket, beyond, () => delay())
    forward(beyond, socket, () => delay())
    socket.on('close', () => beyond.destroy())
    beyond.on('close', () => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const dropAll = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  const enter = (next: typeof mode) => () => {
    mode = next
    dropAll()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut: enter('cut'),
    hang: enter('hang'),
    mend: enter('through'),
    slow: milliseconds => {
      delay = milliseconds
    },
    lead: next => {
      target = next
      dropAll()
    },
    close: () => {
      server.close()
      dropAll()
    },
  }
}

/** Hands on what comes, in order. */
function forward(from: Socket, to: Socket, delay: () => number): void {
  let before: Promise<unknown> = Promise.resolve()
  const after = (work: () => void) => {
    const milliseconds = delay()
    before = before.then(() => (milliseconds > 0 ? sleep(milliseconds) : undefined)).then(work)
  }
  from.on('data', (chunk: Buffer) => after(() => to.writable && to.write(chunk)))
  from.on('end', () => after(() => to.end()))
}
