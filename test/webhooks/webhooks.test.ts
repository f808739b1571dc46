// Webhooks from the change that is told to the receiver that verifies it: in order, at least once, and to nobody else.
import { spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { readConfig } from '../../src/config.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { purgeInTurn } from '../../src/platform/data/purge.ts'
import { createMetrics } from '../../src/platform/metrics/metrics.ts'
import { createSecrets } from '../../src/platform/secrets.ts'
import { createServices } from '../../src/services.ts'
import { purgeWebhookDeliveries } from '../../src/webhooks/line.ts'
import { retryAfterOf, secondsUntilRetry } from '../../src/webhooks/retries.ts'
import { inUse, sealSecrets } from '../../src/webhooks/signature.ts'
import { createWebhooks } from '../../src/webhooks/webhooks.ts'
import { makeAdmin, startApi, type TestApi } from '../support/api.ts'
import { makeOrganization as makeOrganizationOf, type People, signInPeople } from '../support/organization.ts'
import { sumOf } from '../support/scrape.ts'
import { freePort } from '../support/server.ts'
import { until } from '../support/until.ts'
import { isVerified, type ReceiverAnswer, startWebhookReceiver } from '../support/webhook-receiver.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

let api: TestApi
let root: string
let people: People
test.before(async () => {
  api = await startApi()
  root = await makeAdmin(api)
  people = await signInPeople(api)
})
test.after.always(() => api?.close())

const makeOrganization = () => makeOrganizationOf(api, people)
const sql = (text: string, values: unknown[]) => api.server.resources.database.pool.query(text, values)
/** Asks the API now and then until the answer is yes. */
const soon = (question: () => Promise<boolean>) =>
  until(async () => {
    await sleep(150)
    return question()
  })
/** As if the time until the next try had passed. */
const tryNow = (id: string) => sql('UPDATE webhooks SET next_at = now() WHERE id = $1', [id])
const ok = { status: 204 } as const
/** Not tried again while the test lasts, unless it says so. */
const refused = (status: number) => ({ status, headers: { 'retry-after': '7000' } })

/** An organization with a webhook at a receiver of its own. */
const make = async (t: ExecutionContext, { events = ['role.*'], answer }: { events?: string[]; answer?: (time: number) => ReceiverAnswer } = {}) => {
  const receiver = await startWebhookReceiver({ answer: answer ?? (() => ok) })
  t.teardown(receiver.close)
  const organization = await makeOrganization()
  const made = await organization.asAdmin('POST /webhooks', { url: receiver.url, events, name: 'Mine' })
  t.is(made.status, 201, JSON.stringify(made.error))
  const { webhook, secret } = made.data as { webhook: { id: string }; secret: string }
  const at = `/webhooks/${webhook.id}`
  const addRole = async (name: string) => (await organization.asOwner('POST /roles', { name, permissions: [] })).data.id as string
  const deliveries = async (query = '') => (await organization.asAdmin(`GET ${at}/deliveries${query}`)).data
  return { ...organization, receiver, webhook, secret, at, addRole, deliveries }
}

test('an organization is told its own events, signed, in the order of its audit log, each as the log tells it', async t => {
  const mine = await make(t, { events: ['*'] })
  const other = await make(t, { events: ['organization.updated'] })
  for (const name of ['one', 'two', 'three']) await mine.addRole(name)
  await mine.receiver.count(4)
  const { data: log } = await mine.asOwner('GET /audit-logs?sort=occurred_at&limit=100')
  const from = log.findIndex(({ action }: { action: string }) => action === 'webhook.created')
  t.deepEqual(
    mine.receiver.received.map(({ json }) => json.data),
    log.slice(from),
  )
  t.deepEqual(mine.receiver.types(), ['webhook.created', 'role.created', 'role.created', 'role.created'])
  for (const one of mine.receiver.received) {
    t.true(isVerified(one, mine.secret))
    t.false(isVerified(one, other.secret))
    t.like(one.json, { type: one.json.data.action, timestamp: one.json.data.occurred_at, data: { id: one.id, organization_id: mine.id } })
    t.false(one.text.includes('of-the-receiver'), 'of its address only the origin is told')
  }
  t.is(other.receiver.received.length, 0)
})

test('a webhook is told what it asks for: by name, by kind, and nothing that does not exist', async t => {
  const { receiver, addRole, asOwner, at, ...organization } = await make(t, { events: ['role.deleted', 'organization.*'] })
  const id = await addRole('gone')
  await asOwner(`DELETE /roles/${id}`)
  await asOwner('PATCH /settings', { sign_up: 'closed' })
  await receiver.count(2)
  t.deepEqual(receiver.types(), ['role.deleted', 'organization.settings_updated'])
  for (const events of [['role.nothing'], ['nothing.*'], ['role*'], ['role.*', 'x'], []])
    t.is((await organization.asAdmin('POST /webhooks', { url: receiver.url, events })).status, 400, String(events))
  t.is((await asOwner(`PATCH ${at}`, { events: ['role'] })).status, 400)
  const { error } = await organization.asAdmin('POST /webhooks', { url: receiver.url, events: ['role.*', 'role.nothing'] })
  const { path, message = '' } = error?.details.fields?.[0] ?? {}
  t.is(path, 'events.1')
  t.true(message.includes('"role.nothing"') && message.includes('/api/openapi.json') && message.length < 200, message)
})

test.serial('the system is told every event of every chain once, and those of a chain in its order, however many happen at once', async t => {
  const receiver = await startWebhookReceiver()
  t.teardown(receiver.close)
  const [one, two] = [await makeOrganization(), await makeOrganization()]
  const { data } = await api.ask('POST /webhooks', { token: root, body: { url: receiver.url, events: ['role.*', 'api_key.created'] } })
  t.teardown(() => api.ask(`DELETE /webhooks/${data.webhook.id}`, { token: root }))
  const names = Array.from({ length: 20 }, (_, n) => `at-once-${n}`)
  await Promise.all([
    ...names.flatMap(name => [one.asOwner('POST /roles', { name, permissions: [] }), two.asOwner('POST /roles', { name, permissions: [] })]),
    api.ask('POST /api-keys', { token: root, body: { name: 'Of none', permissions: ['users:read'] } }),
  ])
  const ours = () => receiver.received.filter(({ json: { data } }) => [one.id, two.id, null].includes(data.organization_id))
  await until(() => ours().length >= 41)
  t.is(new Set(ours().map(({ id }) => id)).size, 41)
  for (const { id } of [one, two]) {
    const places = ours().flatMap(({ json: { data } }) => (data.organization_id === id ? [data.seq] : []))
    t.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    )
    t.is(places.length, 20)
  }
  t.true(ours().every(received => isVerified(received, data.secret)))
})

test('what is refused is sent again, the same, and what comes after waits', async t => {
  const mine = await make(t, { answer: time => (time <= 2 ? refused(503) : ok) })
  const names = ['first', 'second', 'third']
  for (const name of names) await mine.addRole(name)
  await mine.receiver.count(1)
  await soon(async () => (await mine.deliveries('?state=waiting'))[2]?.attempts >= 1)
  const waiting = await mine.deliveries('?sort=created_at')
  t.like(waiting[0], { event: 'role.created', state: 'waiting', attempts: 1, status_code: 503, error: null })
  t.like(waiting[1], { state: 'waiting', attempts: 0, status_code: null, attempted_at: null })
  const { rows } = await sql('SELECT failures, extract(epoch FROM next_at - now())::int AS seconds FROM webhooks WHERE id = $1', [mine.webhook.id])
  t.is(rows[0].failures, 1)
  t.true(rows[0].seconds > 6000 && rows[0].seconds < 8000, 'as Retry-After says')
  await tryNow(mine.webhook.id)
  await mine.receiver.count(2)
  await soon(async () => (await mine.deliveries())[2]?.attempts === 2)
  await tryNow(mine.webhook.id)
  await mine.receiver.count(5)
  const [a, again, andAgain, ...rest] = mine.receiver.received
  t.deepEqual([again?.id, again?.text, andAgain?.id], [a?.id, a?.text, a?.id])
  t.deepEqual(
    [a, ...rest].map(one => one?.json.data.target.details.name),
    names,
  )
  await soon(async () => (await mine.deliveries('?state=delivered')).length === 3)
  t.like((await mine.deliveries('?sort=created_at'))[0], { state: 'delivered', attempts: 3, status_code: 204, error: null })
})

test('who answers 410 is told no more: the webhook is disabled, the owners hear of it, and once enabled it goes on', async t => {
  const mine = await make(t, { answer: time => (time === 1 ? { status: 410 } : ok) })
  await mine.addRole('first')
  await mine.addRole('second')
  await soon(async () => (await mine.asAdmin(`GET ${mine.at}`)).data.disabled)
  t.like((await mine.asAdmin(`GET ${mine.at}`)).data, { disabled: true, disabled_reason: 'gone' })
  const [event] = (await mine.asOwner('GET /audit-logs?action=webhook.disabled')).data
  t.like(event, { actor: { type: 'system' }, target: { id: mine.webhook.id, details: { reason: 'gone' } } })
  const subject = `The webhook to ${new URL(mine.receiver.url).host} was disabled`
  const mailTo = async (email: string) => (await api.server.mailsTo(email)).find(mail => mail.subject === subject)
  const isTold = async (email: string) => (await mailTo(email)) !== undefined
  await soon(() => isTold(mine.owner.email))
  const text = (await mailTo(mine.owner.email))?.text ?? ''
  for (const said of ['Mine', mine.webhook.id, 'of the organization', `/api/v1/organizations/${mine.id}${mine.at}`]) t.true(text.includes(said), said)
  t.false(await isTold(mine.admin.email))
  await mine.addRole('third')
  t.is((await mine.asAdmin(`PATCH ${mine.at}`, { disabled: false })).data.disabled_reason, null)
  await mine.receiver.count(3)
  t.deepEqual(
    mine.receiver.received.map(({ json }) => json.data.target.details.name),
    ['first', 'second', 'third'],
  )
  t.deepEqual(
    (await mine.deliveries('?state=failed')).map(({ status_code }: { status_code: number }) => status_code),
    [410],
  )
})

test('the mail about a disabled webhook carries no name that mail programs make a link of', async t => {
  const mine = await make(t, { answer: () => ({ status: 410 }) })
  await sql("UPDATE organizations SET name = 'Win at www.evil.example' WHERE id = $1", [mine.id])
  await sql("UPDATE webhooks SET name = 'See https://evil.example' WHERE id = $1", [mine.webhook.id])
  await mine.addRole('first')
  const subject = `The webhook to ${new URL(mine.receiver.url).host} was disabled`
  const find = async () => (await api.server.mailsTo(mine.owner.email)).find(mail => mail.subject === subject)
  await soon(async () => (await find()) !== undefined)
  const { text = '', html = '' } = (await find()) ?? {}
  t.false(`${text} ${html}`.includes('evil.example'))
  t.true(text.includes(`the webhook ${mine.webhook.id} of the organization ${mine.id}`), text)
})

test('an event is given up after the last of its tries; the webhook is disabled, and both can be mended', async t => {
  const mine = await make(t, { answer: time => ({ status: time === 1 ? 302 : 204, headers: { location: '/elsewhere' } }) })
  await api.server.services.webhooks.update(systemActor, { id: mine.webhook.id, organizationId: mine.id }, { isDisabled: true })
  await mine.addRole('first')
  await mine.addRole('second')
  await api.server.services.webhooks.update(systemActor, { id: mine.webhook.id, organizationId: mine.id }, { url: mine.receiver.url })
  await sql('UPDATE webhooks SET disabled_at = NULL, disabled_reason = NULL, failures = 9 WHERE id = $1', [mine.webhook.id])
  await soon(async () => (await mine.asAdmin(`GET ${mine.at}`)).data.disabled_reason === 'failing')
  const [failed] = await mine.deliveries('?state=failed')
  t.like(failed, { status_code: 302, attempts: 1 })
  t.is(mine.receiver.received.length, 1, 'no redirect is followed')
  await mine.asAdmin(`PATCH ${mine.at}`, { disabled: false })
  await mine.receiver.count(2)
  t.like((await mine.asAdmin(`POST ${mine.at}/deliveries/${failed.id}/redeliver`)).data, { id: failed.id, state: 'waiting' })
  await mine.receiver.count(3)
  t.deepEqual(mine.receiver.ids()[2], failed.id)
  t.is((await mine.asAdmin(`POST ${mine.at}/deliveries/${randomUUID()}/redeliver`)).status, 404)
})

test('one that waits is tried at once where somebody asks for it, and none of its tries is used up by that', async t => {
  const mine = await make(t, { answer: time => (time <= 2 ? refused(500) : ok) })
  await mine.addRole('first')
  await soon(async () => (await mine.deliveries())[0]?.attempts >= 1)
  await sql("UPDATE webhooks SET next_at = now() + interval '1 day', failures = 9 WHERE id = $1", [mine.webhook.id])
  const [waiting] = await mine.deliveries()
  for (const times of [2, 3]) {
    await mine.asAdmin(`POST ${mine.at}/deliveries/${waiting.id}/redeliver`)
    await mine.receiver.count(times)
    await soon(async () => (await mine.deliveries())[0]?.attempts >= times)
    t.is((await mine.deliveries())[0].state, times === 2 ? 'waiting' : 'delivered')
  }
  t.deepEqual(mine.receiver.ids(), [waiting.id, waiting.id, waiting.id])
})

test('a webhook that is mended, or asked to try again, while a try hangs is tried at once, and the late answer changes nothing', async t => {
  const mends: Record<string, (mine: Awaited<ReturnType<typeof make>>, url: string, waiting: string) => Promise<unknown>> = {
    'another address': (mine, url) => mine.asAdmin(`PATCH ${mine.at}`, { url }),
    'enabled anew': async (mine, url) => {
      await mine.asAdmin(`PATCH ${mine.at}`, { disabled: true })
      await sql('UPDATE webhooks SET url = $2 WHERE id = $1', [mine.webhook.id, url])
      await mine.asAdmin(`PATCH ${mine.at}`, { disabled: false })
    },
    'sent again by hand': async (mine, url, waiting) => {
      await sql('UPDATE webhooks SET url = $2 WHERE id = $1', [mine.webhook.id, url])
      await mine.asAdmin(`POST ${mine.at}/deliveries/${waiting}/redeliver`)
    },
  }
  const mendWhileItHangs = async (name: string, status: number) => {
    const { promise, resolve: answerLate } = Promise.withResolvers<void>()
    const [mine, next] = [await make(t, { answer: () => ({ ...refused(status), when: promise }) }), await startWebhookReceiver()]
    t.teardown(next.close)
    await mine.addRole('first')
    await mine.receiver.count(1)
    const [waiting] = await mine.deliveries()
    await sql('UPDATE webhooks SET failures = 8 WHERE id = $1', [mine.webhook.id])
    await mends[name]?.(mine, next.url, waiting.id)
    answerLate()
    await next.count(1)
    await soon(async () => (await mine.deliveries('?state=delivered')).length === 1)
    const { rows } = await sql('SELECT failures, is_slow, disabled_at, next_at <= now() AS is_due FROM webhooks WHERE id = $1', [mine.webhook.id])
    t.deepEqual(rows, [{ failures: 0, is_slow: false, disabled_at: null, is_due: true }], `${name}, ${status}`)
    t.like((await mine.deliveries())[0], { state: 'delivered', attempts: 1, status_code: 204 })
  }
  await Promise.all(Object.keys(mends).flatMap(name => [503, 410].map(status => mendWhileItHangs(name, status))))
})

test.serial('however often a webhook that hangs is asked to try again, it has one place', async t => {
  const mine = await make(t, { answer: () => 'never' })
  await mine.addRole('unheard')
  for (const times of [1, 2, 3]) {
    await mine.receiver.count(times)
    const [waiting] = await mine.deliveries()
    t.is((await mine.asAdmin(`POST ${mine.at}/deliveries/${waiting.id}/redeliver`)).status, 200)
  }
  await mine.receiver.count(4)
  await until(() => mine.receiver.abandoned() >= 3)
  t.deepEqual([...new Set(mine.receiver.ids())].length, 1)
})

test.serial('of very many deliveries ten thousand are counted, and all that are too old are forgotten in one go', async t => {
  const mine = await make(t)
  await sql(
    `INSERT INTO webhook_deliveries (webhook_id, event_id, action, state, created_at)
     SELECT $1, gen_random_uuid(), 'role.created', 'failed', now() - interval '31 days' FROM generate_series(1, 10001)`,
    [mine.webhook.id],
  )
  const { data, meta } = await mine.asAdmin(`GET ${mine.at}/deliveries?state=failed&limit=1`)
  t.is(data.length, 1)
  t.is(meta?.total, 10_000)
  await purgeInTurn(api.server.resources.database, [purgeWebhookDeliveries], { batch: 500, milliseconds: 600_000 })
  t.deepEqual(await mine.deliveries(), [])
})

test('private addresses are not connected to, and nobody who is away is waited for', async t => {
  const mine = await make(t)
  const kinds = {
    'https://169.254.169.254/latest': 'forbidden_address',
    [`http://localhost:${await freePort()}/`]: 'unreachable',
  }
  for (const [url, error] of Object.entries(kinds)) {
    const { data } = await mine.asAdmin('POST /webhooks', { url: mine.receiver.url, events: ['role.created'] })
    // As one that was made while OUTBOUND_ALLOW named it.
    await sql('UPDATE webhooks SET url = $2 WHERE id = $1', [data.webhook.id, url])
    await mine.addRole(`for-${data.webhook.id.slice(-8)}`)
    const last = async () => (await mine.asAdmin(`GET /webhooks/${data.webhook.id}/deliveries?sort=created_at`)).data[0]
    await soon(async () => (await last()).attempts >= 1)
    t.like(await last(), { state: 'waiting', status_code: null, error })
  }
})

test('a host that is an address inside, in any writing, is refused when the webhook is made or changed', async t => {
  const mine = await make(t)
  const told = {
    'http://10.0.0.1/': '10.0.0.1',
    'https://169.254.169.254/latest': '169.254.169.254',
    'https://[fd00::1]/': 'fd00::1',
    'https://0xa.1./': '10.0.0.1',
  }
  for (const [url, host] of Object.entries(told))
    for (const refused of [await mine.asAdmin('POST /webhooks', { url, events: ['role.*'] }), await mine.asOwner(`PATCH ${mine.at}`, { url })])
      t.deepEqual([refused.status, refused.error?.details], [400, { fields: [{ path: 'url', message: `${host} is not a public address` }] }])
})

test('a disabled webhook is not tried, and whoever asks for it is told why', async t => {
  const mine = await make(t)
  t.is((await mine.asAdmin(`PATCH ${mine.at}`, { disabled: true })).status, 200)
  const { status, message } = await mine.asAdmin(`POST ${mine.at}/test`)
  t.is(status, 409)
  t.regex(message, /disabled/)
  t.deepEqual(await mine.deliveries(), [])
})

test.serial('three who deliver at once never send two events to one webhook at once, nor in another order', async t => {
  const stops = [api.server.services.startDelivering(), api.server.services.startDelivering()]
  t.teardown(() => Promise.all(stops.map(stop => stop())))
  const mine = await make(t, { answer: time => ({ status: time % 5 === 0 ? 500 : 204, milliseconds: 20 }) })
  const names = Array.from({ length: 12 }, (_, n) => `in-order-${n}`)
  for (const name of names) await mine.addRole(name)
  await soon(async () => {
    await tryNow(mine.webhook.id)
    return (await mine.deliveries('?state=delivered')).length === names.length
  })
  t.is(mine.receiver.mostAtOnce(), 1)
  const seen = [...new Set(mine.receiver.received.map(({ json }) => json.data.target.details.name))]
  t.deepEqual(seen, names)
  t.is(mine.receiver.received.length, names.length + Math.floor(mine.receiver.received.length / 5))
})

test.serial('receivers that never answer hold up nobody else, however many', async t => {
  const deaf = await make(t, { answer: () => 'never' })
  for (let more = 0; more < 11; more += 1) await deaf.asAdmin('POST /webhooks', { url: deaf.receiver.url, events: ['role.*'] })
  const quick = await make(t)
  await sql('UPDATE webhooks SET is_slow = true WHERE organization_id = $1', [deaf.id])
  await deaf.addRole('unheard')
  await deaf.receiver.count(8)
  await quick.addRole('heard')
  await quick.addRole('heard-too')
  await quick.receiver.count(2)
  t.is(deaf.receiver.received.length, 8, 'there are so many places for those who are slow')
  t.is(deaf.receiver.abandoned(), 0, 'they are still waited for')
})

test('what a receiver says beside its status is not read', async t => {
  const mine = await make(t, { answer: () => ({ status: 200, body: 'x'.repeat(1_000_000) }) })
  await mine.addRole('first')
  await soon(async () => (await mine.deliveries('?state=delivered')).length === 1)
  t.is(mine.receiver.received.length, 1)
})

test('a rotated secret signs for a day beside the new one, and is told once', async t => {
  const mine = await make(t)
  const { data, status } = await mine.asAdmin(`POST ${mine.at}/secret/rotate`)
  t.is(status, 200)
  t.not(data.secret, mine.secret)
  t.regex(data.secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  await mine.addRole('signed-twice')
  await mine.receiver.count(1)
  const [both] = mine.receiver.received
  if (!both) return t.fail()
  t.true(isVerified(both, mine.secret) && isVerified(both, data.secret))
  t.is(String(both.headers['webhook-signature']).split(' ').length, 2)
  const row = await sql('SELECT secrets FROM webhooks WHERE id = $1', [mine.webhook.id])
  t.regex(row.rows[0].secrets, /^v2\./)
  for (const path of [mine.at, '/webhooks', '/audit-logs']) t.notRegex(JSON.stringify((await mine.asAdmin(`GET ${path}`)).data), /whsec_/, path)
})

test('secrets that open under no key that is known are replaced by a new one', async t => {
  const mine = await make(t)
  const lost = createSecrets({ secretKey: 'a-secret-key-that-nobody-has-any-more', randomBytes })
  const sealed = sealSecrets(lost, { id: mine.webhook.id, all: [{ secret: mine.secret }] })
  await sql('UPDATE webhooks SET secrets = $2 WHERE id = $1', [mine.webhook.id, sealed])
  const { data, status } = await mine.asAdmin(`POST ${mine.at}/secret/rotate`)
  t.is(status, 200)
  await mine.addRole('signed-anew')
  await mine.receiver.count(1)
  const [one] = mine.receiver.received
  if (!one) return t.fail()
  t.deepEqual([isVerified(one, data.secret), isVerified(one, mine.secret)], [true, false])
})

test('what the README says is enough to receive', async t => {
  const port = await freePort()
  const mine = await make(t)
  const [, code = ''] = /## Webhooks[\s\S]*?```js\n([\s\S]*?)```/.exec(readme) ?? []
  const script = code.replace('listen(4000)', `listen(${port})`)
  const receiver = spawn(process.execPath, ['--input-type=module', '-e', script], { env: { SECRET: mine.secret }, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => receiver.kill())
  const said: string[] = []
  receiver.stdout.on('data', chunk => said.push(String(chunk)))
  const url = `http://localhost:${port}/`
  await until(() =>
    fetch(url, { method: 'POST', body: '{}', headers: { 'webhook-signature': 'v1,\u00fc' } }).then(
      ({ status }) => status === 400,
      () => false,
    ),
  )
  await mine.asAdmin(`PATCH ${mine.at}`, { url })
  await mine.addRole('received')
  await until(() => said.length > 0)
  const [{ id }] = await mine.deliveries()
  t.is(said.join(''), `${id} role.created\n`)
})

test('a test is sent to a webhook that asks for something else, and to no other', async t => {
  const mine = await make(t)
  const { data } = await mine.asAdmin('POST /webhooks', { url: mine.receiver.url, events: ['user.*'] })
  t.is((await mine.asAdmin(`POST ${mine.at}/test`)).status, 200)
  await mine.receiver.count(1)
  t.like(mine.receiver.received[0]?.json, { type: 'webhook.test', data: { target: { id: mine.webhook.id } } })
  t.deepEqual((await mine.asAdmin(`GET /webhooks/${data.webhook.id}/deliveries`)).data, [])
})

test('another address gets what still waits, in its order', async t => {
  const mine = await make(t, { answer: () => refused(500) })
  const next = await startWebhookReceiver()
  t.teardown(next.close)
  await mine.addRole('first')
  await mine.addRole('second')
  await soon(async () => (await mine.deliveries('?sort=created_at'))[0]?.attempts >= 1)
  const { data, headers } = await mine.asAdmin(`GET ${mine.at}`)
  t.is((await mine.asAdmin(`PATCH ${mine.at}`, { url: next.url }, { 'if-match': '"another"' })).status, 412)
  t.is((await mine.asAdmin(`PATCH ${mine.at}`, { url: next.url }, { 'if-match': String(headers.etag) })).status, 200)
  t.not(data.url, next.url)
  await next.count(2)
  t.deepEqual(
    next.received.map(({ json }) => json.data.target.details.name),
    ['first', 'second'],
  )
})

test('what was sent is listed by state and event, page by page', async t => {
  const mine = await make(t, { events: ['*'] })
  for (const name of ['one', 'two']) await mine.addRole(name)
  await soon(async () => (await mine.deliveries('?state=delivered')).length === 3)
  t.is((await mine.deliveries('?event=role.created')).length, 2)
  const first = await mine.asAdmin(`GET ${mine.at}/deliveries?limit=2`)
  t.is(first.meta?.total, 3)
  const second = await mine.asAdmin(`GET ${mine.at}/deliveries?limit=2&after=${first.meta?.next_cursor}`)
  t.is(new Set([...first.data, ...second.data].map(({ id }) => id)).size, 3)
  t.is((await mine.asAdmin(`GET ${mine.at}/deliveries?state=lost`)).status, 400)
})

test('webhooks are of those who administer what they are told of, and read it', async t => {
  const mine = await make(t)
  const other = await makeOrganization()
  t.is((await mine.asMember('GET /webhooks')).status, 403)
  t.is((await other.asOwner(`GET ${mine.at}`)).status, 404)
  t.is((await other.asOwner(`DELETE ${mine.at}`)).status, 404)
  t.is((await api.ask(`GET ${mine.at}`, { token: root })).status, 404, 'it is none of the system')
  await mine.asOwner('POST /roles', { name: 'hooks', permissions: ['webhooks:read', 'webhooks:write'] })
  const { id, token } = await api.signIn()
  await api.server.services.members.add(systemActor, { organizationId: mine.id, userId: id, role: 'hooks' })
  const asHooks = mine.as({ id, token, email: '', sessionId: '' })
  const wide = { url: mine.receiver.url, events: ['*'] }
  t.is((await asHooks('POST /webhooks', wide)).status, 403)
  t.is((await asHooks(`PATCH ${mine.at}`, { events: ['*'] })).status, 403)
  t.is((await asHooks(`PATCH ${mine.at}`, { name: 'Theirs' })).status, 200)
})

test.serial('of 25 at once twenty become the webhooks of an organization', async t => {
  const { asOwner, ...organization } = await makeOrganization()
  const tries = await Promise.all(Array.from({ length: 25 }, () => asOwner('POST /webhooks', { url: 'https://hooks.example/', events: ['role.*'] })))
  t.is(tries.filter(({ status }) => status === 201).length, 20)
  t.is(tries.filter(({ status }) => status === 409).length, 5)
  t.is((await organization.asAdmin('GET /webhooks?limit=100')).meta?.total, 20)
})

test.serial('of 25 at once twenty become the webhooks of the system, also where it had none', async t => {
  const { embedded, pool } = api.server.resources.database
  const { max } = pool.options
  t.teardown(() => {
    pool.options.max = max
    return sql('DELETE FROM webhooks WHERE organization_id IS NULL', [])
  })
  const all = Array.from({ length: 25 })
  // As many at once as several processes have connections.
  if (!embedded) {
    pool.options.max = all.length
    await Promise.all(all.map(() => sql('SELECT pg_sleep(0.2)', [])))
  }
  const { webhooks } = api.server.services
  t.is((await webhooks.list(undefined, { limit: 1 })).total, 0)
  const tries = await Promise.allSettled(all.map(() => webhooks.create(systemActor, { url: 'https://hooks.example/', events: ['webhook.deleted'] })))
  const refusals = tries.flatMap(one => (one.status === 'rejected' ? [one.reason.code] : []))
  t.deepEqual(refusals, Array(5).fill('too_many_webhooks'))
  t.is((await webhooks.list(undefined, { limit: 1 })).total, 20)
})

test('nothing leaves for an organization, or to a webhook, that is deleted', async t => {
  const [mine, deleted, lasting] = [await make(t), await make(t, { answer: () => refused(500) }), await make(t)]
  await deleted.addRole('unwanted')
  await deleted.receiver.count(1)
  t.is((await deleted.asOwner(`DELETE ${deleted.at}`)).status, 200)
  t.is((await deleted.asOwner(`GET ${deleted.at}/deliveries`)).status, 404)
  await api.server.services.organizations.remove(systemActor, mine.id)
  await sql('INSERT INTO webhook_deliveries (webhook_id, event_id, action) SELECT $1, id, action FROM audit_events LIMIT 1', [mine.webhook.id])
  for (const heard of [1, 2]) {
    await lasting.addRole(`heard-${heard}`)
    await lasting.receiver.count(heard)
  }
  t.deepEqual([mine.receiver.received.length, deleted.receiver.received.length], [0, 1])
})

test('deliveries are forgotten after 30 days, and what waits is counted', async t => {
  const mine = await make(t, { answer: () => refused(500) })
  await mine.addRole('first')
  await soon(async () => (await mine.deliveries())[0]?.attempts >= 1)
  const before = await api.server.services.webhookBacklog()
  t.true(before.waiting >= 1 && before.oldestSeconds >= 0)
  await sql("UPDATE webhook_deliveries SET created_at = now() - interval '31 days' WHERE webhook_id = $1", [mine.webhook.id])
  t.true((await api.server.services.webhookBacklog()).oldestSeconds > 30 * 86_400)
  const metrics = createMetrics()
  createServices({ ...api.server.resources, metrics }, readConfig({ NODE_ENV: 'test' }))
  const told = await metrics.scrape('prometheus')
  t.true(sumOf(told, 'authy2_webhook_events_waiting') >= 1 && sumOf(told, 'authy2_webhook_oldest_waiting_seconds') > 30 * 86_400)
  await purgeWebhookDeliveries(api.server.resources.database, 100)
  t.deepEqual(await mine.deliveries(), [])
})

test('where TLS is demanded an address without it, or with credentials, is not taken', async t => {
  const { services, resources } = api.server
  const strict = createWebhooks({ ...resources, ...services, lockOrganization: async () => undefined, isPlainAllowed: false, isReached: () => true })
  for (const url of ['http://hooks.example/', 'https://a:b@hooks.example/', 'ftp://hooks.example/', 'hooks.example', ''])
    await t.throwsAsync(strict.create(systemActor, { url, events: ['*'] }), { message: /not valid/ }, url)
})

test('tries follow the schedule of Standard Webhooks, later where the receiver asks for it, never sooner, and at most a day apart', t => {
  t.deepEqual(
    Array.from({ length: 10 }, (_, failed) => secondsUntilRetry(failed + 1)),
    [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400, undefined],
  )
  t.deepEqual([secondsUntilRetry(1, 60), secondsUntilRetry(3, 60), secondsUntilRetry(1, 1e9)], [60, 1800, 86_400])
  const now = new Date('2026-01-01T00:00:00.500Z')
  const said = ['120', 'Thu, 01 Jan 2026 00:01:00 GMT', 'Wed, 31 Dec 2025 00:00:00 GMT', 'soon', '-1', '', null]
  t.deepEqual(
    said.map(header => retryAfterOf(header, now)),
    [120, 60, 0, undefined, undefined, undefined, undefined],
  )
})

test('a secret that was replaced signs until its day is over', t => {
  const secrets = [{ secret: 'new' }, { secret: 'old', until: '2026-01-02T00:00:00.000Z' }]
  t.is(inUse(secrets, new Date('2026-01-01T23:59:59Z')).length, 2)
  t.deepEqual(inUse(secrets, new Date('2026-01-02T00:00:00Z')), [{ secret: 'new' }])
})
