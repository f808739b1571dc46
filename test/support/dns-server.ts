// A little DNS server on the loopback: TXT records that a test sets, and silence or failure where it wants them (RFC 1035).
import { createSocket } from 'node:dgram'
import { once } from 'node:events'

/** What a name answers: texts, each in parts of up to 255 bytes; no such name; no answer; a failure of the server. */
export type Zone = Map<string, readonly (string | readonly string[])[] | 'silent' | 'failing'>

/** Starts it; names that are not in the zone do not exist. */
export async function startDns() {
  const zone: Zone = new Map()
  const asked: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (query, { port, address }) => {
    const { name, end } = nameAt(query, 12)
    asked.push(name)
    const found = zone.get(name)
    if (found !== 'silent') socket.send(answer(query.subarray(0, end + 4), found), port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return { server: `127.0.0.1:${socket.address().port}`, zone, asked, close: () => socket.close() }
}

function nameAt(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = []
  let at = start
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 }
}

function answer(question: Buffer, found: Exclude<ReturnType<Zone['get']>, 'silent'>): Buffer {
  const records = Array.isArray(found) ? found.map(record) : []
  const code = found === 'failing' ? 2 : found === undefined ? 3 : 0
  const head = Buffer.from(question)
  head.writeUInt16BE(0x8580 | code, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(records.length, 6)
  head.writeUInt32BE(0, 8)
  return Buffer.concat([head, ...records])
}

function record(parts: string | readonly string[]): Buffer {
  const data = Buffer.concat([parts].flat().map(part => Buffer.concat([Buffer.from([Buffer.byteLength(part)]), Buffer.from(part)])))
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc00c, 0) // the name of the question
  head.writeUInt16BE(16, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}
