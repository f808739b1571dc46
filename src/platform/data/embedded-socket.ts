// The socket of the embedded database: the frontend/backend protocol of PostgreSQL, from whoever may reach its private folder to PGlite's one session.
//
// pglite-socket was weighed and does much the same, but hands the engine message by message: a statement is five of them, and so five turns and five writes,
// and between the messages of one connection come those of another. Here all that is said up to a Sync is answered in one piece, for a seventh less work
// of a silent authorization and its code. What our own server never sends is not served: Flush, which would leave the session to two at once, and COPY
// from a client, which PGlite cannot.
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
  /** Absent: it leaves. */
  readonly messages?: Buffer | undefined
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
    if (!messages) return socket.end()
    const given: Buffer[] = []
    await database.runExclusive(async () => {
      // Nobody would end the transaction that is begun for whoever went while they waited.
      if (!sockets.has(socket)) return
      last = socket
      // The engine uses its memory again: what it gives is copied.
      await database.execProtocolRawStream(messages, { onRawData: part => given.push(Buffer.from(part)) })
    })
    onAnswered()
    if (socket.writable) socket.write(given.length === 1 ? (given[0] as Buffer) : Buffer.concat(given))
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
    const request = (messages?: Buffer) => {
      requests.push({ socket, messages })
      void work()
    }
    const read = createReader({ decline: () => socket.write('N'), take: request, leave: request, refuse: () => socket.destroy() })
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
  readonly decline: () => void
  /** Messages that want an answer together. */
  readonly take: (messages: Buffer) => void
  readonly leave: () => void
  /** What is not served, or no message at all. */
  readonly refuse: () => void
}

// Codes in place of a version, and messages by their first byte (PostgreSQL, «Message Formats»).
const encryptions = new Set([80877103, 80877104])
const cancellation = 80877102
const codeOf = (letter: string) => letter.charCodeAt(0)
const [terminate, flush] = [codeOf('X'), codeOf('H')]
// Parse, Bind, Describe, Execute, Close: they wait for a Sync.
const parts = new Set([...'PBDEC'].map(codeOf))

/** Reads what a connection says, in whatever pieces it comes; each byte of a long message is looked at once. */
function createReader({ decline, take, leave, refuse }: Heard): (data: Buffer) => void {
  let pieces: Buffer[] = []
  let length = 0
  /** How many bytes there must be before anything can be done with them. */
  let wanted = 0
  let isBegun = false
  let isOver = false

  const end = (how: () => void) => {
    isOver = true
    how()
  }
  // Both answer how many of the bytes they took. First comes the length, and what is wanted second.
  const begin = (bytes: Buffer): number => {
    wanted = bytes.length < 8 ? 8 : bytes.readInt32BE(0)
    if (wanted < 8) end(refuse)
    if (isOver || wanted > bytes.length) return 0
    const code = bytes.readInt32BE(4)
    if (encryptions.has(code)) decline()
    else if (code === cancellation)
      end(leave) // a statement cannot be broken off
    else {
      isBegun = true
      take(bytes.subarray(0, wanted))
    }
    return wanted
  }
  // Up to the last message that wants an answer.
  const go = (bytes: Buffer): number => {
    let whole = 0
    let at = 0
    for (wanted = 5; wanted <= bytes.length; wanted = at + 5) {
      const type = bytes[at]
      const size = bytes.readInt32BE(at + 1)
      if (type === terminate || type === flush || size < 4) {
        if (whole > 0) take(bytes.subarray(0, whole))
        end(type === terminate ? leave : refuse)
        return 0
      }
      wanted = at + 1 + size
      if (wanted > bytes.length) break
      at = wanted
      if (!parts.has(type ?? 0)) whole = at
    }
    if (whole > 0) take(bytes.subarray(0, whole))
    return whole
  }

  return data => {
    if (isOver) return
    pieces.push(data)
    length += data.length
    if (length < wanted) return
    let bytes = pieces.length === 1 ? data : Buffer.concat(pieces)
    for (let taken = -1; taken !== 0 && bytes.length > 0; bytes = bytes.subarray(taken)) {
      taken = isBegun ? go(bytes) : begin(bytes)
      if (isOver) return
    }
    pieces = bytes.length > 0 ? [bytes] : []
    length = bytes.length
    if (length === 0) wanted = 0
  }
}
