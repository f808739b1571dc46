// What is kept of a request with an `Idempotency-Key`, and to whom its answer is told again.
import { randomBytes, randomUUID } from 'node:crypto'
import test from 'ava'
import type { Actor } from '../../../src/platform/actor.ts'
import { createChange, event } from '../../../src/platform/data/change.ts'
import type { Database } from '../../../src/platform/data/database.ts'
import { createOnce } from '../../../src/platform/http/idempotency.ts'
import { createSecrets } from '../../../src/platform/secrets.ts'
import { openTestDatabase } from '../../support/database.ts'

let database: Database
test.before(async () => {
  database = await openTestDatabase()
})
test.after.always(() => database?.close())

const person: Actor = { kind: 'user', id: randomUUID(), permissions: new Set() }
const secretsOf = (secretKey: string, ...previousKeys: string[]) => createSecrets({ secretKey, previousKeys, randomBytes })

interface Sent {
  readonly actor?: Actor
  readonly secrets?: ReturnType<typeof secretsOf>
  /** What the request does besides. */
  readonly work?: () => Promise<unknown>
}

/** Signs in with a password that must not be guessed from what is kept, or tells that answer again. */
const send = async (key: string, { actor = person, secrets = secretsOf('one'), work }: Sent = {}) => {
  let runs = 0
  const ctx = { method: 'POST', path: '/api/v1/auth/login', querystring: '', state: {}, request: { body: { password: 'hunter2' } }, set: () => undefined }
  const run = async () => {
    runs += 1
    await work?.()
    return { status: 201, data: { secret: 'told once' } }
  }
  const told = await createOnce({ database, secrets })({ ctx: ctx as never, actor, key, run })
  return { runs, told }
}

test.serial('what is kept of a request cannot be guessed without SECRET_KEY: there may be a password in it', async t => {
  const key = randomUUID()
  const kept: string[] = []
  for (const secretKey of ['one', 'another']) {
    await send(key, { secrets: secretsOf(secretKey) })
    const { rows } = await database.pool.query('DELETE FROM idempotency_keys RETURNING request_hash')
    kept.push(...rows.map(({ request_hash }) => request_hash.toString('hex')))
  }
  t.deepEqual([kept.length, new Set(kept).size], [2, 2])
})

test.serial('an answer is told again to whoever may do the same, and to no narrower credential of the same person', async t => {
  const key = randomUUID()
  await send(key)
  t.is((await send(key, { actor: { ...person, sessionId: randomUUID() } })).runs, 0, 'who signed in again meanwhile')
  for (const narrower of [{ tokenScopes: new Set(['members:read']) }, { agentId: 'an-agent' }, { organizationId: randomUUID() }])
    await t.throwsAsync(send(key, { actor: { ...person, ...narrower } }), { code: 'idempotency_key_reused' })
  const app = { ...person, tokenScopes: new Set(['b', 'a']) }
  const other = randomUUID()
  t.is((await send(other, { actor: app })).runs, 1)
  t.is((await send(other, { actor: { ...person, tokenScopes: new Set(['a', 'b']) } })).runs, 0)
  await t.throwsAsync(send(other, { actor: { ...person, tokenScopes: new Set(['a']) } }), { code: 'idempotency_key_reused' })
})

const change = () =>
  createChange({
    database,
    events: { 'thing.made': event('thing', {}) },
    secrets: secretsOf('one'),
    now: () => new Date(),
    newUuid: randomUUID,
    feed: { write: async () => undefined, tell: () => undefined },
  })
const make = async () => change()(person, async (_tx, record) => record('thing.made', { id: 'one' }))
const lost = new Error('Connection terminated unexpectedly')
const countThings = async () => (await database.pool.query("SELECT FROM audit_events WHERE action = 'thing.made'")).rowCount ?? 0

test.serial('a request whose commit was made, though its answer was lost, acts no second time', async t => {
  const key = randomUUID()
  const before = await countThings()
  const work = async () => {
    await make()
    throw lost
  }
  await t.throwsAsync(send(key, { work }), { is: lost })
  await t.throwsAsync(send(key, { work }), { code: 'idempotency_key_busy' })
  t.is(await countThings(), before + 1)
})

test.serial('a request that failed before it acted may be sent again under its key', async t => {
  const key = randomUUID()
  await t.throwsAsync(send(key, { work: () => Promise.reject(lost) }), { is: lost })
  t.is((await send(key)).runs, 1)
})

test.serial('the key of a process that is gone is free after a minute, and its late change is rolled back', async t => {
  const key = randomUUID()
  const before = await countThings()
  const [begun, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const late = send(key, {
    work: async () => {
      begun.resolve()
      await goOn.promise
      await make()
    },
  })
  await begun.promise
  // As if it had been claimed a minute ago.
  await database.pool.query(
    "UPDATE idempotency_keys SET claimed_at = claimed_at - interval '61 seconds', expires_at = expires_at - interval '61 seconds' WHERE answer IS NULL AND acted_at IS NULL",
  )
  t.is((await send(key, { work: make })).runs, 1)
  goOn.resolve()
  await t.throwsAsync(late, { code: 'idempotency_key_busy' })
  t.is(await countThings(), before + 1)
  t.is((await send(key)).runs, 0)
})
