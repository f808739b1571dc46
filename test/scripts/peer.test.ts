// The bench beside another provider: found below its issuer's path, counted by its processes, measured in the row of its algorithm.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import test from 'ava'
import { UsageError } from '../../scripts/bench/options.ts'
import { openPeer } from '../../scripts/bench/peer.ts'
import { findRow } from '../../scripts/bench/rows.ts'

const token = (alg: string) => [JSON.stringify({ alg }), '{}', 'signature'].map(part => Buffer.from(part).toString('base64url')).join('.')

/** A provider below a path, whose tokens are of an algorithm and live for one introspection. */
const startPeer = async (algorithm: string) => {
  const signedIn: string[] = []
  const asked: string[] = []
  let introspected = 0
  const answer = ({ url }: IncomingMessage, issuer: string): object => {
    if (url?.endsWith('/openid-configuration'))
      return {
        issuer,
        jwks_uri: `${issuer}/keys`,
        authorization_endpoint: `${issuer}/a`,
        token_endpoint: `${issuer}/token`,
        introspection_endpoint: `${issuer}/introspect`,
      }
    if (url?.endsWith('/token')) return { access_token: token(algorithm) }
    introspected += 1
    return { active: introspected <= 32 }
  }
  const server = createServer(async (request, response) => {
    asked.push(`${request.method} ${request.url}`)
    if (request.url?.includes('/a?')) {
      const { redirect_uri: redirectUri, client_id: clientId } = Object.fromEntries(new URL(request.url, issuer).searchParams)
      const page = `<form method="post" action="/realms/bench/login?to=${redirectUri}&amp;client=${clientId}"><input name="username"><input name="password" type="password"></form>`
      return void response.end(page)
    }
    if (request.url?.includes('/login?')) {
      const { searchParams } = new URL(request.url, issuer)
      signedIn.push(`${await text(request)} at ${searchParams.get('client')}`)
      return void response.writeHead(302, { location: `${searchParams.get('to')}?code=one` }).end()
    }
    request.resume().on('end', () => response.setHeader('content-type', 'application/json').end(JSON.stringify(answer(request, issuer))))
  })
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/realms/bench`
  return { issuer, asked, signedIn, close: () => new Promise(resolve => server.close(resolve)) }
}

const settingsOf = (issuer: string, more: object = {}) => ({
  BENCH_PEER_ISSUER: issuer,
  BENCH_PEER_CLIENT_ID: 'service',
  BENCH_PEER_CLIENT_SECRET: 'secret',
  ...more,
})

test('a peer is found below its issuer’s path, and measured in the row of the algorithm that it signs by', async t => {
  const peer = await startPeer('ES256')
  t.teardown(peer.close)
  const target = await openPeer(settingsOf(peer.issuer, { BENCH_PEER_PIDS: String(process.pid) }))
  if (!target) throw new Error('no peer')
  t.teardown(target.close)
  t.true(peer.asked.includes('GET /realms/bench/.well-known/openid-configuration'))
  const [es256] = await findRow('client-credentials-es256').prepare(target)
  await es256?.()
  t.is(peer.asked.at(-1), 'POST /realms/bench/token')
  for (const row of ['client-credentials', 'client-credentials-rs256'])
    await t.throwsAsync(async () => findRow(row).prepare(target), { message: /is ES256, not/ })
  t.true((await target.sample()).ownMegabytes > 0)
})

test('a token that is not active any more is a failure of the row, not a fast answer', async t => {
  const peer = await startPeer('ES256')
  t.teardown(peer.close)
  const target = await openPeer(settingsOf(peer.issuer))
  if (!target) throw new Error('no peer')
  t.teardown(target.close)
  const [ask] = await findRow('introspection').prepare(target)
  await t.throwsAsync(async () => ask?.(), { message: /not active/ })
})

test('a person who is named signs in there by its own forms', async t => {
  const peer = await startPeer('ES256')
  t.teardown(peer.close)
  const person = { BENCH_PEER_USERNAME: 'bob', BENCH_PEER_PASSWORD: 'secret', BENCH_PEER_REDIRECT_URI: 'http://localhost:9/callback' }
  const target = await openPeer(settingsOf(peer.issuer, person))
  if (!target) throw new Error('no peer')
  t.teardown(target.close)
  const [signIn] = await findRow('password').prepare(target)
  await signIn?.()
  t.deepEqual(peer.signedIn, ['username=bob&password=secret at service'])
  t.is(peer.asked.at(-1), 'POST /realms/bench/token')
})

test('what is set wrong is said before anything is measured', async t => {
  for (const more of [
    { BENCH_PEER_ISSUER: 'nowhere' },
    { BENCH_PEER_CLIENT_ID: '' },
    { BENCH_PEER_PIDS: '999999999' },
    { BENCH_PEER_PIDS: 'java' },
    { BENCH_PEER_USERNAME: 'bob' },
    { BENCH_PEER_USERNAME: 'bob', BENCH_PEER_PASSWORD: 'secret', BENCH_PEER_REDIRECT_URI: 'nowhere' },
    { BENCH_PEER_PIDS: `${process.ppid},${process.pid}` },
  ])
    await t.throwsAsync(openPeer(settingsOf('http://127.0.0.1:9/x', more)), { instanceOf: UsageError })
})
