// A client that is down, or a server that is killed, when a session ends: the client is told once both are up.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { z } from 'zod'
import { makeDataDir } from '../support/database.ts'
import { testSecretKey } from '../support/demo-filling.ts'
import { startLogoutReceiver } from '../support/logout-receiver.ts'
import { createPerson } from '../support/person.ts'
import { findPostgres, startPostgres } from '../support/postgres-server.ts'
import { startProcess } from '../support/process.ts'
import { createRelyingParty } from '../support/relying-party.ts'
import { freePort } from '../support/server.ts'
import { until } from '../support/until.ts'

const folder = await findPostgres()
const when = folder === undefined ? test.skip : test.serial
const administrator = { email: 'admin@authy2.local', password: 'AdminPass123!' }
const tokenOf = z.object({ data: z.object({ token: z.string() }) })

/** Gives the demo client a back-channel, and answers its relying party. */
const makeTold = async (origin: string, uri: string) => {
  const call = async (method: string, path: string, { body, token }: { body: object; token?: string }) => {
    const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) }
    const answer = await fetch(`${origin}/api/v1${path}`, { method, headers, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
    return answer.json()
  }
  const { token } = tokenOf.parse(await call('POST', '/auth/login', { body: administrator })).data
  const metadata = { backchannel_logout_uri: uri, backchannel_logout_session_required: true }
  await call('PATCH', '/clients/acme-portal-001', { body: { metadata }, token })
  return createRelyingParty(origin)
}

const signOut = async (origin: string, person: ReturnType<typeof createPerson>) => {
  const page = await person.get(`${origin}/oauth2/logout`)
  return person.submit(page, { logout: 'yes' })
}

test.serial('a client that is down for the first minute is told when it is up', async t => {
  t.timeout(240_000)
  const { dataDir, remove } = makeDataDir()
  t.teardown(remove)
  const port = await freePort()
  const server = await startProcess({ DATA_DIR: dataDir })
  t.teardown(() => server.stop())
  const relyingParty = await makeTold(server.origin, `http://localhost:${port}/backchannel`)
  const { person, tokens } = await relyingParty.signIn()
  await sleep(1500)
  const signedInAgain = await relyingParty.signIn({ person: createPerson() })
  t.is((await signOut(server.origin, signedInAgain.person)).status, 303)
  await sleep(60_000)
  const receiver = await startLogoutReceiver({ port })
  t.teardown(receiver.close)
  await until(() => receiver.posted.length > 0, 90)
  const [token] = await receiver.tokens(server.origin, 'acme-portal-001')
  t.is(token?.sid, signedInAgain.tokens.claims()?.sid)
  t.not(token?.sid, tokens.claims()?.sid)
  await signOut(server.origin, person)
  await until(() => receiver.posted.length > 1)
})

/** Signs people out and kills the process as soon as it said yes, again and again; then the client is told of every one of them. */
const endure = async (t: ExecutionContext, storage: Record<string, string>) => {
  const port = await freePort()
  const serverPort = String(await freePort())
  const deaf = createServer(() => undefined).listen(port, 'localhost')
  await once(deaf, 'listening')
  t.teardown(() => deaf.close())
  const ended: unknown[] = []
  for (let round = 0; round < 3; round += 1) {
    const server = await startProcess({ ...storage, PORT: serverPort })
    t.teardown(() => server.kill('SIGKILL'))
    const relyingParty = await makeTold(server.origin, `http://localhost:${port}/backchannel`)
    const { person, tokens } = await relyingParty.signIn()
    t.is((await signOut(server.origin, person)).status, 303)
    server.kill('SIGKILL')
    await until(() => !server.isRunning())
    ended.push(tokens.claims()?.sid)
  }
  deaf.close()
  const receiver = await startLogoutReceiver({ port })
  t.teardown(receiver.close)
  const server = await startProcess({ ...storage, PORT: serverPort })
  t.teardown(() => server.stop())
  // What a killed process had claimed is anybody's after half a minute.
  await until(async () => receiver.posted.length >= ended.length, 90)
  const told = await receiver.tokens(server.origin, 'acme-portal-001')
  t.deepEqual(told.map(({ sid }) => sid).sort(), [...ended].sort())
}

test.serial('no logout is lost on the embedded database', async t => {
  t.timeout(240_000)
  const { dataDir, remove } = makeDataDir()
  t.teardown(remove)
  await endure(t, { DATA_DIR: dataDir })
})

when('a worker tells the clients where the servers leave it to one', async t => {
  t.timeout(240_000)
  const postgres = await startPostgres(folder ?? '')
  t.teardown(postgres.remove)
  const receiver = await startLogoutReceiver()
  t.teardown(receiver.close)
  const server = await startProcess({ DATABASE_URL: postgres.url, RUN_JOBS: 'false' })
  t.teardown(() => server.stop())
  const relyingParty = await makeTold(server.origin, receiver.uri)
  const { person, tokens } = await relyingParty.signIn()
  await signOut(server.origin, person)
  const environment = {
    PATH: process.env.PATH,
    NODE_ENV: 'test',
    LOG_LEVEL: 'warn',
    SECRET_KEY: testSecretKey,
    ISSUER: server.origin,
    DATABASE_URL: postgres.url,
  }
  const worker = spawn(process.execPath, ['src/worker.ts'], { env: environment, stdio: 'ignore' })
  t.teardown(async () => {
    const gone = once(worker, 'exit')
    worker.kill('SIGTERM')
    await gone
  })
  await until(() => receiver.posted.length > 0, 60)
  t.is((await receiver.tokens(server.origin, 'acme-portal-001'))[0]?.sid, tokens.claims()?.sid)
})

when('no logout is lost on PostgreSQL', async t => {
  t.timeout(240_000)
  const postgres = await startPostgres(folder ?? '')
  t.teardown(postgres.remove)
  await endure(t, { DATABASE_URL: postgres.url })
})
