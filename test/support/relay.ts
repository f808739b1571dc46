// A relay before a server, which can be cut, silenced and mended: how networks fail.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A relay that listens on 127.0.0.1. */
export interface Relay {
  readonly port: number
  /** Ends all connections and refuses new ones at once. */
  cut(): void
  /** Takes connections and never answers. */
  hang(): void
  mend(): void
  close(): void
}

/** Relays to a server. */
export async function startRelay(target: { host: string; port: number }): Promise<Relay> {
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
    socket.pipe(beyond).pipe(socket)
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
    close: () => {
      server.close()
      dropAll()
    },
  }
}
