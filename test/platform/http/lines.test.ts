// Lines go out as they are taken; who stops taking them is let go, and what was open for them is closed.
import { once } from 'node:events'
import { request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import Koa from 'koa'
import { z } from 'zod'
import { sendLines } from '../../../src/platform/http/lines.ts'
import { until } from '../../support/until.ts'

const line = z.object({ text: z.string() })
let server: Server
let open = 0
test.before(async () => {
  const app = new Koa()
  app.silent = true
  app.use(ctx => sendLines(ctx, { line, lines: linesOf(Number(ctx.query.many)), patienceMilliseconds: 300 }))
  server = app.listen(0)
  await once(server, 'listening')
})
test.after.always(() => server?.close())

const linesOf = async function* (many: number) {
  open += 1
  try {
    for (let n = 0; n < many; n += 1) yield { text: 'x'.repeat(10_000) }
  } finally {
    open -= 1
  }
}
const urlOf = (many: number) => `http://localhost:${(server.address() as AddressInfo).port}/?many=${many}`

test.serial('whoever takes all gets all', async t => {
  const text = await (await fetch(urlOf(2000))).text()
  t.is(text.split('\n').length, 2001)
  t.is(await (await fetch(urlOf(0))).text(), '')
  t.is(open, 0)
})

test.serial('whoever stops reading is let go', async t => {
  const asked = request(urlOf(100_000)).end()
  const [answer] = await once(asked, 'response')
  answer.on('error', () => undefined)
  answer.pause()
  t.is(open, 1)
  await until(() => open === 0)
  answer.resume()
  await until(() => answer.closed)
  t.false(answer.complete)
})
