// Connections that the environment configures: there at once, once, and nothing of them in the database.
import test from 'ava'
import { readConfig } from '../../src/config.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { createServices } from '../../src/services.ts'
import { makeAdmin, startApi, type TestApi } from '../support/api.ts'
import { plant } from '../support/canaries.ts'
import { testSecretKey } from '../support/demo-filling.ts'

let api: TestApi
let root: string
const secret = plant('github secret of the environment')
const settings = { API_REQUESTS_PER_MINUTE: '100000', GITHUB_CLIENT_ID: 'Iv1.of-the-settings', GITHUB_CLIENT_SECRET: secret }
test.before(async () => {
  api = await startApi(settings)
  root = await makeAdmin(api)
})
test.after.always(() => api?.close())

const ask = (operation: string, body?: unknown) => api.ask(operation, { token: root, body })
const github = async () => (await ask('GET /connections?connector=github')).data[0]
/** A second process over the same database, with other settings. */
const beside = (more: Record<string, string>) => createServices(api.server.resources, readConfig({ NODE_ENV: 'test', SECRET_KEY: testSecretKey, ...more }))

test.serial('a pair of settings makes a connection that everybody may sign in by', async t => {
  const connection = await github()
  t.like(connection, {
    organization_id: null,
    connector: 'github',
    name: 'GitHub',
    origin: 'settings',
    secrets: [{ name: 'client_secret', set_at: null }],
    trusts_emails: false,
    disabled: false,
    available: true,
  })
  t.is(connection.settings.client_id, settings.GITHUB_CLIENT_ID)
  const { connections } = api.server.services
  t.deepEqual(await connections.buttonsFor({}), [{ id: connection.id, connector: 'github', name: 'GitHub', mark: 'github', organization: undefined }])
  t.deepEqual((await connections.find(connection.id))?.configured.secrets, { client_secret: secret })
  const { rows } = await api.server.resources.database.pool.query('SELECT * FROM connections')
  t.is(rows.length, 1)
  for (const part of [secret, settings.GITHUB_CLIENT_ID]) t.false(JSON.stringify(rows).includes(part))
  t.false(JSON.stringify(connection).includes(secret))
})

test.serial('twenty processes that start at once make it once, and tell of it once', async t => {
  const services = Array.from({ length: 20 }, () => beside(settings))
  await Promise.all(services.map(one => one.settingsConnections.ensure(systemActor)))
  const { pool } = api.server.resources.database
  t.is((await pool.query('SELECT 1 FROM connections')).rowCount, 1)
  t.is((await pool.query("SELECT 1 FROM audit_events WHERE action = 'connection.created'")).rowCount, 1)
})

test.serial('it is renamed, ordered and disabled over the API, and neither deleted nor configured', async t => {
  const { id } = await github()
  const at = `/connections/${id}`
  t.like((await ask(`PATCH ${at}`, { name: 'GitHub, Inc.', position: 7, disabled: true })).data, { name: 'GitHub, Inc.', position: 7, disabled: true })
  t.deepEqual(await api.server.services.connections.buttonsFor({}), [])
  await ask(`PATCH ${at}`, { name: 'GitHub', disabled: false })
  for (const [operation, body] of [
    [`PATCH ${at}`, { settings: { client_id: 'other' } }],
    [`PATCH ${at}`, { secrets: { client_secret: 'another secret' } }],
    [`PATCH ${at}`, { settings: { client_id: 'other', origin: 'https://evil.example' }, secrets: { client_secret: 'another secret' } }],
    [`DELETE ${at}`],
  ] as const) {
    const { status, error } = await ask(operation, body)
    t.deepEqual([status, error?.type], [409, 'CONFLICT'], JSON.stringify(body))
  }
  t.is((await github()).settings.client_id, settings.GITHUB_CLIENT_ID)
})

test.serial('where the settings lack it, it is there and nobody signs in by it', async t => {
  const { id } = await github()
  const { connections, connectionAdministration } = beside({})
  t.is(await connections.find(id), undefined)
  t.deepEqual(await connections.buttonsFor({}), [])
  t.like(await connectionAdministration.get({ id }), { isAvailable: false, settings: {}, secrets: [] })
})

test.serial('another secret in the settings counts at the next start', async t => {
  const { id } = await github()
  const { connections } = beside({ ...settings, GITHUB_CLIENT_SECRET: plant('rotated github secret') })
  t.deepEqual((await connections.find(id))?.configured.secrets, { client_secret: 'rotated github secret' })
})

test.serial('beside it there may be others of its kind', async t => {
  const { data, status } = await ask('POST /connections', {
    connector: 'github',
    name: 'GitHub Enterprise',
    settings: { client_id: 'b', origin: 'https://github.company.example' },
    secrets: { client_secret: 'enterprise secret' },
  })
  t.is(status, 201)
  t.is(data.origin, 'api')
  t.is((await ask(`DELETE /connections/${data.id}`)).status, 200)
})
