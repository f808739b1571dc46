// The MCP project's own conformance suite: its scenarios of authorization servers against ours, its scenarios of clients against the client that
// the journey signs in by. Fetched by npx, at a version: nothing else here needs it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { createPerson } from '../support/person.ts'
import { bob } from '../support/relying-party.ts'
import { freePort, startServer, type TestServer } from '../support/server.ts'
import { startMcpServer } from './resource-server.ts'

// The scenarios of authorization servers came with the next version, which is not out yet.
const ofClients = '@modelcontextprotocol/conformance@0.1.16'
const ofServers = '@modelcontextprotocol/conformance@0.2.0-alpha.12'
const command = `${process.execPath} ${fileURLToPath(new URL('conformance-client.ts', import.meta.url))}`
const directory = mkdtempSync(join(tmpdir(), 'mcp-conformance-'))

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(async () => {
  await server?.close()
  rmSync(directory, { recursive: true, force: true })
})

interface Run {
  readonly child: ChildProcess
  readonly told: () => string
  readonly ended: Promise<number>
}

const run = (version: string, args: readonly string[]): Run => {
  const child = spawn('npx', ['--yes', '-p', version, 'conformance', ...args], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      text += chunk
    })
  return { child, told: () => text, ended: once(child, 'exit').then(([code]) => Number(code)) }
}

test('the suite finds the client right in every scenario of authorization', async t => {
  const { told, ended } = run(ofClients, ['client', '--command', command, '--suite', 'auth'])
  await ended
  t.regex(told(), /Total: \d{3} passed, 0 failed, 0 warnings/, told().slice(-3000))
  for (const name of ['metadata-var3', 'basic-cimd', 'scope-step-up', 'token-endpoint-auth-none', 'pre-registration'])
    t.regex(told(), new RegExp(`✓ auth/${name}: \\d+ passed, 0 failed`))
})

for (const scenario of ['auth/resource-mismatch', 'auth/offline-access-scope', 'auth/offline-access-not-supported'])
  test(`the suite finds the client right in ${scenario}`, async t => {
    const { told, ended } = run(ofClients, ['client', '--command', command, '--scenario', scenario])
    await ended
    t.true(told().includes('OVERALL: PASSED'), told().slice(-3000))
  })

test('the suite finds our metadata and our code grant right, for a resource and a public client on the loopback', async t => {
  const mcp = await startMcpServer({ issuer: server.issuer })
  t.teardown(mcp.close)
  const format = { tokenFormat: 'jwt', signingAlgorithm: 'ES256', accessTokenTtlSeconds: 600 } as const
  await server.services.resourceServers.create(systemActor, { identifier: mcp.resource, name: 'Tools', scopes: ['mcp:read'], ...format })
  const made = { clientId: 'conformance', name: 'Conformance', authenticationMethod: 'none', grantTypes: ['authorization_code'] } as const
  await server.services.clients.create(systemActor, { ...made, redirectUris: ['http://127.0.0.1/callback'], metadata: { application_type: 'native' } })
  const port = String(await freePort())
  const options = ['--url', server.issuer, '--client-id', made.clientId, '--resource', mcp.resource, '--port', port]
  const { told, ended, child } = run(ofServers, ['authorization', ...options])
  t.teardown(() => child.kill())
  const address = await addressIn(told, ended)
  const person = createPerson()
  const back = await person.authorize(new URL(address), { ...bob, redirectUri: `http://127.0.0.1:${port}` })
  t.is((await fetch(back)).status, 200)
  t.is(await ended, 0, told())
  for (const scenario of ['authorization-server-metadata-endpoint', 'authorization-code-grant']) t.true(told().includes(`✓ ${scenario}`), told())
  t.regex(told(), /Total: 3 passed, 0 failed/)
})

const addressIn = async (told: () => string, ended: Promise<unknown>): Promise<string> => {
  let isOver = false
  void ended.then(() => {
    isOver = true
  })
  for (;;) {
    const found = /^http\S+\/oauth2\/authorize\S+$/m.exec(told())?.[0]
    if (found) return found
    if (isOver) throw new Error(told())
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}
