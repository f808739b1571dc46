// A process that is killed in the middle of a delivery: another goes on, nothing is lost, and the order stays.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import pg from 'pg'
import { readConfig } from '../../src/config.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { openResources } from '../../src/resources.ts'
import { createServices, type Services } from '../../src/services.ts'
import { makeDataDir } from '../support/database.ts'
import { testSecretKey } from '../support/demo-filling.ts'
import { findPostgres, startPostgres } from '../support/postgres-server.ts'
import { startProcess } from '../support/process.ts'
import { until } from '../support/until.ts'
import { isVerified, startWebhookReceiver } from '../support/webhook-receiver.ts'

const folder = await findPostgres()
const when = folder === undefined ? test.skip : test.serial
const names = Array.from({ length: 12 }, (_, n) => `role-${n}`)

/** Makes an organization with a webhook at the address, and events for it. */
const fill = async ({ organizations, webhooks, roles }: Services, url: string) => {
  const { id: organizationId } = await organizations.create(systemActor, { name: `Killed ${randomUUID()}` })
  const { secret } = await webhooks.create(systemActor, { organizationId, url, events: ['role.*'] })
  for (const name of names) await roles.create(systemActor, { organizationId, name, permissions: [] })
  return { secret, organizationId }
}

when('of two processes one is killed in mid-delivery: the other delivers all, in order, that event a second time', async t => {
  t.timeout(240_000)
  const postgres = await startPostgres(folder ?? '')
  t.teardown(postgres.remove)
  const { dataDir, remove } = makeDataDir()
  t.teardown(remove)
  const environment = { DATA_DIR: dataDir, DATABASE_URL: postgres.url }
  const start = async () => {
    const one = await startProcess(environment)
    t.teardown(() => one.kill('SIGKILL'))
    return one
  }
  const processes = [await start(), await start()]
  // The fourth is never answered the first time, nor what comes when all else is through.
  const receiver = await startWebhookReceiver({ answer: time => (time === 4 || time === names.length + 2 ? 'never' : { status: 204 }) })
  t.teardown(receiver.close)
  const config = readConfig({ NODE_ENV: 'test', LOG_LEVEL: 'silent', SECRET_KEY: testSecretKey, ...environment })
  const resources = await openResources(config)
  t.teardown(resources.close)
  const services = createServices(resources, config)
  const { secret, organizationId } = await fill(services, receiver.url)
  await receiver.count(4)
  // Whose it is shows by whose end ends it.
  let killed = 0
  for (const one of processes) {
    if (receiver.abandoned() > 0) break
    one.kill('SIGKILL')
    killed += 1
    await until(() => !one.isRunning())
    await sleep(500)
  }
  t.is(receiver.abandoned(), 1, 'it was killed in mid-delivery')
  if (killed === processes.length) processes.push(await start())
  t.is(receiver.received.length, 4, 'the lease holds the others off')
  const client = new pg.Client(postgres.url)
  await client.connect()
  t.teardown(() => client.end())
  // As if half a minute had passed.
  await client.query('UPDATE webhooks SET locked_until = now()')
  await receiver.count(names.length + 1)
  const told = receiver.received.map(({ json }) => String(json.data.target.details.name))
  t.deepEqual(told, [...names.slice(0, 4), ...names.slice(3)])
  t.is(new Set(receiver.ids()).size, names.length)
  t.true(receiver.received.every(one => isVerified(one, secret)))
  await until(async () => (await client.query("SELECT FROM webhook_deliveries WHERE state <> 'delivered'")).rowCount === 0)
  // Whoever is told to stop hands back what is under way.
  await services.roles.create(systemActor, { organizationId, name: 'last', permissions: [] })
  await receiver.count(names.length + 2)
  t.is(await processes.at(-1)?.stop(), 0)
  t.is(receiver.abandoned(), 2)
  const { rows } = await client.query(
    "SELECT d.attempts, w.locked_until FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id WHERE d.state = 'waiting'",
  )
  t.deepEqual(rows, [{ attempts: 0, locked_until: null }])
})
