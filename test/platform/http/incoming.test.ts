// A body is the same however it arrives: whole with its head, in pieces, late, or not to its end.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { Incoming } from '../../../src/platform/http/incoming.ts'

const read = async (request: IncomingMessage) => {
  const chunks: Buffer[] = []
  for await (const chunk of request.iterator({ destroyOnReturn: false })) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

let server: Server
const failures: unknown[] = []
test.before(async () => {
  server = createServer({ IncomingMessage: Incoming }, (request, response) => {
    setImmediate(async () => {
      try {
        response.end(`${request.complete} ${await read(request)}`)
      } catch (error) {
        failures.push(error)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
test.after.always(() => void server?.close())

const speak = async (parts: readonly string[]) => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  for (const part of parts) {
    socket.write(part)
    await sleep(30)
  }
  return socket
}
const ask = async (...parts: string[]) => {
  const socket = await speak(parts)
  const [answer] = await once(socket, 'data')
  socket.destroy()
  return String(answer).split('\r\n\r\n')[1]
}
const head = (header: string) => `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${header}\r\n\r\n`

test('a body that comes with its head', async t => {
  t.is(await ask(`${head('Content-Length: 5')}a=b&c`), 'true a=b&c')
})

test('an empty body', async t => {
  t.is(await ask(head('Content-Length: 0')), 'true ')
})

test('a body in pieces, of a length that was said or not', async t => {
  t.is(await ask(head('Content-Length: 6'), 'abc', 'def'), 'false abcdef')
  t.is(await ask(head('Transfer-Encoding: chunked'), '3\r\nabc\r\n', '3\r\ndef\r\n0\r\n\r\n'), 'false abcdef')
  t.is(await ask(`${head('Transfer-Encoding: chunked')}3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n`), 'true abcdef')
})

test('a body that breaks off is a failure, not a shorter body', async t => {
  const socket = await speak([head('Content-Length: 6'), 'abc'])
  socket.destroy()
  for (let wait = 0; wait < 100 && failures.length === 0; wait += 1) await sleep(20)
  t.is(failures.length, 1)
})
