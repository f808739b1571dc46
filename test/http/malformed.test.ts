// Bytes that are no HTTP: refused, the connection closed, and nothing of what they carried in the log.
import { once } from 'node:events'
import { connect } from 'node:net'
import test from 'ava'
import { plant } from '../support/canaries.ts'
import { sendRaw } from '../support/raw.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const secret = plant('Secret-Of-A-Malformed-Request-0123456789')
const bytes = [...Buffer.from(secret)].join(',')

for (const path of ['/api/v1/auth/login', '/oauth2/token', '/api/v1/users/import', '/oauth2/authorize'])
  test(`nothing of a malformed request to ${path} is logged, nor is it told as a failure of ours`, async t => {
    const top = [`POST ${path} HTTP/1.1`, `Host: ${new URL(server.issuer).host}`, `Authorization: Bearer ${secret}`, `Cookie: session=${secret}`]
    const type = path.startsWith('/api') ? 'application/json' : 'application/x-www-form-urlencoded'
    const chunked = [...top, `Content-Type: ${type}`, 'Transfer-Encoding: chunked', '', '5', `"abc"`, `zz-${secret}`, secret, ''].join('\r\n')
    const trailing = [...top, `Content-Type: ${type}`, 'Content-Length: 2', 'Connection: close', '', `{}GET / HTTP/1.1`, `Cookie: ${secret}`, '', ''].join(
      '\r\n',
    )
    for (const parts of [[chunked], [chunked.slice(0, -70), chunked.slice(-70)], [trailing], [`nonsense ${secret}\r\n\r\n`]])
      await sendRaw(server.issuer, parts)
    const socket = connect(Number(new URL(server.issuer).port), 'localhost')
    await once(socket, 'connect')
    socket.write([...top, `Content-Type: ${type}`, 'Content-Length: 500', '', secret].join('\r\n'), () => socket.resetAndDestroy())
    await once(socket, 'close')
    await new Promise(resolve => setTimeout(resolve, 200))
    const log = server.logged()
    t.false(log.includes(secret) || log.includes(bytes) || log.includes('rawPacket'))
    t.notRegex(log, /"level":50/)
  })

test('what cannot be parsed is answered 400 and the connection closed', async t => {
  t.is((await sendRaw(server.issuer, ['nonsense\r\n\r\n'])).status, 400)
  t.is((await sendRaw(server.issuer, [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`])).status, 431)
})
