// Forms: read once, bounded, from our own pages, and proven by a token that fits what they belong to.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import Koa from 'koa'
import { z } from 'zod'
import { Problem } from '../../../src/platform/errors.ts'
import { createFormTokens, readForm } from '../../../src/platform/http/form.ts'
import { text } from '../../../src/platform/http/text.ts'
import { createSecrets } from '../../../src/platform/secrets.ts'

let server: Server
let issuer: string
const fields = z.strictObject({ name: text(20).min(1), note: text(20).optional() })
test.before(async () => {
  const koa = new Koa()
  koa.use(async ctx => {
    try {
      ctx.body = await readForm(ctx, { fields, issuer })
    } catch (error) {
      ctx.status = error instanceof Problem ? error.status : error instanceof Error && 'status' in error ? Number(error.status) : 500
      ctx.body = error instanceof Problem ? { code: error.code, fields: error.fields?.map(({ path }) => path) } : {}
    }
  })
  server = koa.listen(0, '127.0.0.1')
  await once(server, 'listening')
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
test.after.always(() => {
  server.close()
  server.closeAllConnections()
})

const formType = 'application/x-www-form-urlencoded'
const send = async (body: string, headers: Record<string, string> = {}) => {
  const response = await fetch(issuer, { method: 'POST', body, headers: { 'content-type': formType, ...headers } })
  const json: unknown = await response.json()
  return { status: response.status, ...(json as { code?: string; fields?: string[]; name?: string }) }
}

test('a form is read, with every character that text may have', async t => {
  const { status, name } = await send('name=a%26b+c%F0%9F%92%A9')
  t.is(status, 200)
  t.is(name, 'a&b c💩')
})

test('a field that is missing, twice, too long, unknown or no text is named', async t => {
  const named = async (body: string) => {
    const answer = await send(body)
    t.is(answer.code, 'validation_failed', body.slice(0, 40))
    return answer.fields
  }
  t.deepEqual(await named(''), ['name'])
  t.deepEqual(await named('name=a&name=b'), ['name'])
  t.deepEqual(await named(`name=${'x'.repeat(21)}`), ['name'])
  t.deepEqual(await named('name=a%00b'), ['name'])
  t.deepEqual(await named('name=a&note=%00'), ['note'])
  for (const body of ['name=a&admin=yes', 'name=a&name[x]=b', 'name[x]=b', '__proto__=x', 'name[__proto__][polluted]=yes']) await named(body)
  t.is((await send('constructor=x&name=a')).name, 'a')
  t.false('polluted' in {})
})

test('bytes that are no UTF-8 become replacement characters or a refusal, never a failure', async t => {
  for (const bytes of ['%FF', '%C0%80', '%ED%A0%80', '%', '%zz', '%F0%9F']) t.true((await send(`name=${bytes}`)).status < 500, bytes)
})

test('a form that is too large, or no form, is refused', async t => {
  t.is((await send(`name=${'x'.repeat(17_000)}`)).status, 413)
  for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'nonsense'])
    t.is((await send('name=a', { 'content-type': type })).code, 'unsupported_media_type', type)
})

test('a form of another site is refused, and one of ours is taken even where the browser hides its origin', async t => {
  const code = async (headers: Record<string, string>) => (await send('name=a', headers)).code
  t.is(await code({ origin: issuer }), undefined)
  t.is(await code({ origin: issuer, 'sec-fetch-site': 'same-origin' }), undefined)
  t.is(await code({ origin: 'null', 'sec-fetch-site': 'same-origin' }), undefined)
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: `${issuer}.evil.example` },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: issuer, 'sec-fetch-site': 'cross-site' },
  ])
    t.is(await code(headers as Record<string, string>), 'csrf_mismatch', JSON.stringify(headers))
})

test('a token fits what it was made for and nothing else', t => {
  const tokens = createFormTokens(createSecrets({ secretKey: 'a'.repeat(40), randomBytes }))
  const others = createFormTokens(createSecrets({ secretKey: 'b'.repeat(40), randomBytes }))
  const token = tokens.issue('interaction-1')
  t.notThrows(() => tokens.verify('interaction-1', token))
  for (const [binding, presented] of [
    ['interaction-2', token],
    ['interaction-1', others.issue('interaction-1')],
    ['interaction-1', ''],
    ['interaction-1', token.slice(1)],
    ['interaction-1', `${token}AAAA`],
    ['', token],
  ] as const)
    t.throws(() => tokens.verify(binding, presented), { code: 'csrf_mismatch' }, presented)
})
