/** Assets are served from memory, for ever, under names that hold their hash. */
import { readFile, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import Koa from 'koa'
import { createAssets } from '../../../src/platform/http/assets.ts'
import { temporaryFolder } from '../../support/folder.ts'

async function serve(t: ExecutionContext) {
  const directory = temporaryFolder('assets')
  await writeFile(join(directory, 'look.css'), 'a{}')
  await writeFile(join(directory, 'favicon.svg'), '<svg/>')
  const assets = createAssets(directory)
  const app = new Koa()
  app.use(assets.middleware)
  app.use(ctx => {
    ctx.body = 'passed'
  })
  const server = app.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  t.teardown(() => server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { assets, directory, ask: (path: string, init?: RequestInit) => fetch(origin + path, init) }
}

test('the address of a file holds the hash of its content', async t => {
  const { assets, directory } = await serve(t)
  const before = assets.url('look.css')
  await writeFile(join(directory, 'look.css'), 'b{}')

  t.regex(before, /^\/assets\/look\.[0-9a-f]{8}\.css$/)
  t.not(createAssets(directory).url('look.css'), before)
})

test('a file is served with its type, for ever', async t => {
  const { assets, ask } = await serve(t)
  const response = await ask(assets.url('look.css'))

  t.is(response.status, 200)
  t.is(await response.text(), 'a{}')
  t.is(response.headers.get('content-type'), 'text/css; charset=utf-8')
  t.is(response.headers.get('cache-control'), 'public, max-age=31536000, immutable')
  t.is(response.headers.get('x-content-type-options'), 'nosniff')
})

test('HEAD gives the headers alone', async t => {
  const { assets, ask } = await serve(t)
  const response = await ask(assets.url('look.css'), { method: 'HEAD' })
  t.is(response.status, 200)
  t.is(response.headers.get('content-length'), '3')
  t.is(await response.text(), '')
})

test('a file the browser has is not sent again', async t => {
  const { assets, ask } = await serve(t)
  const etag = (await ask(assets.url('look.css'))).headers.get('etag') ?? ''
  // fetch adds `no-cache` to a conditional request unless told otherwise.
  const headers = { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' }
  const response = await ask(assets.url('look.css'), { headers })
  t.is(response.status, 304)
  t.is(await response.text(), '')
})

test('a file that is not there is not found, and no path leads out', async t => {
  const { ask } = await serve(t)
  for (const path of ['/assets/look.css', '/assets/look.00000000.css', '/assets/', '/assets/..%2fpackage.json', '/assets/__proto__']) {
    t.is((await ask(path)).status, 404, path)
  }
})

test('another method is refused', async t => {
  const { assets, ask } = await serve(t)
  const response = await ask(assets.url('look.css'), { method: 'POST' })
  t.is(response.status, 405)
  t.is(response.headers.get('allow'), 'GET, HEAD')
})

test('the icon browsers ask for is there, and may change', async t => {
  const { ask } = await serve(t)
  const response = await ask('/favicon.ico')
  t.is(response.headers.get('content-type'), 'image/svg+xml')
  t.is(response.headers.get('cache-control'), 'public, max-age=86400')
})

test('another path passes', async t => {
  const { ask } = await serve(t)
  t.is(await (await ask('/assetsandmore')).text(), 'passed')
})

test('an unknown name or type is told at once', async t => {
  const { assets, directory } = await serve(t)
  t.throws(() => assets.url('missing.css'), { message: /There is no asset/ })
  await writeFile(join(directory, 'run.exe'), '')
  t.throws(() => createAssets(directory), { message: /There is no type/ })
})

test('the style sheet and the script of the pages are small', async t => {
  const views = join(import.meta.dirname, '../../../views/assets')
  const sent = async (name: string) => gzipSync(await readFile(join(views, name))).length
  t.true((await sent('authy2.css')) <= 6 * 1024)
  for (const name of ['page.js', 'passkey.js', 'passkey-enrol.js']) t.true((await sent(name)) <= 2 * 1024, name)
})
