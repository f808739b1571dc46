// The socket of the embedded database: the frontend/backend protocol of PostgreSQL, from whoever may reach its private folder to PGlite's one session.
//
// pglite-socket was weighed and does the same, but hands the engine message by message: a statement is five of them, and so five turns and five writes,
// and between the messages of one connection come those of another. Here all that is said up to a Sync is answered in one piece, for a seventh less work
// of a silent authorization and its code.
import { createServer, type Socket } from 'node:net'
import type { PGlite } from '@electric-sql/pglite'

/** A listening socket. */
export interface DatabaseSocket {
  /** How many requests wait for their turn. */
  waiting(): number
  stop(): Promise<void>
}

interface Served {
  readonly database: Pick<PGlite, 'exec' | 'execProtocolRawStream' | 'isInTransaction' | 'runExclusive'>
  readonly path: string
  readonly maxConnections: number
  readonly onAnswered: () => void
  /** Errors of SQL are answers. What is thrown is a broken engine. */
  readonly onBroken: (error: unknown) => void
}

interface Request {
  readonly socket: Socket
  readonly messages: Buffer
}

/** Listens at `path`. A transaction has the session for itself until it ends, or its connection does: then it is rolled back. */
export async function serveDatabase({ database, path, maxConnections, onAnswered, onBroken }: Served): Promise<DatabaseSocket> {
  const sockets = new Set<Socket>()
  let requests: Request[] = []
  let last: Socket | undefined
  let isBusy = false
  let isStopped = false

  const next = (): Request | undefined => {
    if (!database.isInTransaction()) return requests.shift()
    const index = requests.findIndex(({ socket }) => socket === last)
    return index < 0 ? undefined : requests.splice(index, 1)[0]
  }
  const answer = async ({ socket, messages }: Request) => {
    const parts: Buffer[] = []
    await database.runExclusive(async () => {
      // Nobody would end the transaction that is begun for whoever went while they waited.
      if (!sockets.has(socket)) return
      last = socket
      // The engine uses its memory again: what it gives is copied.
      await database.execProtocolRawStream(messages, { onRawData: part => parts.push(Buffer.from(part)) })
    })
    onAnswered()
    if (socket.writable) socket.write(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts))
  }
  const work = async () => {
    if (isBusy) return
    isBusy = true
    try {
      for (let request = next(); request && !isStopped; request = next()) await answer(request)
    } catch (error) {
      onBroken(error)
    }
    isBusy = false
  }
  const rollBack = async () => {
    last = undefined
    await database.exec('ROLLBACK')
    await work()
  }
  const server = createServer(socket => {
    sockets.add(socket)
    const read = createReader({
      refuse: () => socket.write('N'),
      take: messages => {
        requests.push({ socket, messages })
        void work()
      },
      leave: () => socket.end(),
    })
    socket.on('data', read)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      sockets.delete(socket)
      requests = requests.filter(request => request.socket !== socket)
      if (!isStopped && last === socket && database.isInTransaction()) rollBack().catch(onBroken)
    })
  })
  server.maxConnections = maxConnections
  await new Promise<void>((settle, reject) => server.once('error', reject).listen(path, settle))
  return {
    waiting: () => requests.length,
    stop: () => {
      isStopped = true
      for (const socket of sockets) socket.destroy()
      return new Promise(settle => server.close(() => settle()))
    },
  }
}

interface Heard {
  /** Encryption was asked for, of which there is none. */
  readonly refuse: () => void
  /** Messages that want an answer together. */
  readonly take: (messages: Buffer) => void
  readonly leave: () => void
}

// Codes in place of a version, and messages by their first byte (PostgreSQL, «Message Formats»).
const encryptions = new Set([80877103, 80877104])
const cancellation = 80877102
const terminate = 'X'.charCodeAt(0)
// Parse, Bind, Describe, Execute, Close: they wait for a Sync or a Flush.
const parts = new Set([...'PBDEC'].map(letter => letter.charCodeAt(0)))

/** Reads what a connection says, in whatever pieces it comes. */
function createReader({ refuse, take, leave }: Heard): (data: Buffer) => void {
  let kept: Buffer = Buffer.alloc(0)
  let isBegun = false

  // Answers how much of the bytes it took: the length stands first, and what is wanted second.
  const begin = (bytes: Buffer): number => {
    const length = bytes.length < 8 ? Number.POSITIVE_INFINITY : bytes.readInt32BE(0)
    if (length > bytes.length) return 0
    const code = bytes.readInt32BE(4)
    if (encryptions.has(code)) refuse()
    else if (code === cancellation)
      leave() // a statement cannot be broken off
    else {
      isBegun = true
      take(bytes.subarray(0, length))
    }
    return length
  }
  // Up to the last message that wants an answer.
  const go = (bytes: Buffer): number => {
    let whole = 0
    for (let at = 0; at + 5 <= bytes.length; ) {
      const end = at + 1 + bytes.readInt32BE(at + 1)
      if (end > bytes.length) break
      const type = bytes[at] ?? 0
      if (type === terminate) {
        leave()
        return bytes.length
      }
      if (!parts.has(type)) whole = end
      at = end
    }
    if (whole > 0) take(bytes.subarray(0, whole))
    return whole
  }

  return data => {
    kept = kept.length === 0 ? data : Buffer.concat([kept, data])
    for (let taken = -1; taken !== 0 && kept.length > 0; kept = kept.subarray(taken)) taken = isBegun ? go(kept) : begin(kept)
  }
}
