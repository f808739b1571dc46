// The embedded database's socket as connections meet it: several at once, in pieces, with errors, leaving in the middle.
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PGlite } from '@electric-sql/pglite'
import test from 'ava'
import pg from 'pg'
import { type DatabaseSocket, serveDatabase } from '../../../src/platform/data/embedded-socket.ts'
import { makeDataDir } from '../../support/database.ts'
import { until } from '../../support/until.ts'

const folder = makeDataDir()
const path = join(folder.dataDir, '.s.PGSQL.5432')
const broken: unknown[] = []
let database: PGlite
let served: DatabaseSocket

test.before(async () => {
  database = await PGlite.create()
  served = await serveDatabase({ database, path, maxConnections: 8, onAnswered: () => undefined, onBroken: error => broken.push(error) })
  await database.exec('CREATE TABLE counted (n integer PRIMARY KEY)')
})
test.after.always(async () => {
  await served.stop()
  await database.close()
  folder.remove()
})
test.afterEach.always(t => t.deepEqual(broken, []))

const open = async () => {
  const client = new pg.Client({ host: folder.dataDir, port: 5432, user: 'postgres', database: 'postgres' })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

const breakOff = (client: pg.Client) => (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()

test.serial('what several connections ask at once is answered to each', async t => {
  const clients = await Promise.all(Array.from({ length: 5 }, open))
  const ask = (client: pg.Client, n: number) => client.query(`SELECT $1::integer + ${n} AS sum`, [n])
  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => ask(clients[n % 5] as pg.Client, n)))
  t.deepEqual(
    answers.map(({ rows }) => rows[0].sum),
    Array.from({ length: 50 }, (_, n) => 2 * n),
  )
  await Promise.all(clients.map(client => client.end()))
})

test.serial('a refused statement is told, and the next one is answered', async t => {
  const client = await open()
  t.is((await t.throwsAsync(client.query('SELECT $1::integer / 0', [1])))?.message, 'division by zero')
  t.is((await t.throwsAsync(client.query('SELECT nothing FROM nowhere WHERE $1', [true])))?.message, 'relation "nowhere" does not exist')
  t.is((await client.query('SELECT $1::text AS said', ['so'])).rows[0].said, 'so')
  await client.end()
})

test.serial('while one connection is in a transaction the others wait', async t => {
  const [one, other] = [await open(), await open()]
  await one.query('BEGIN')
  await one.query('INSERT INTO counted VALUES ($1)', [1])
  const counting = other.query('SELECT count(*)::integer AS count FROM counted WHERE n = $1', [1])
  await until(() => served.waiting() === 1)
  await one.query('INSERT INTO counted VALUES ($1)', [2])
  await one.query('ROLLBACK')
  t.is((await counting).rows[0].count, 0)
  await Promise.all([one.end(), other.end()])
})

test.serial('the transaction of a connection that goes away is rolled back, and who waits is answered', async t => {
  const [one, other] = [await open(), await open()]
  await one.query('BEGIN')
  await one.query('INSERT INTO counted VALUES ($1)', [3])
  const counting = other.query('SELECT count(*)::integer AS count FROM counted WHERE n = $1', [3])
  await until(() => served.waiting() === 1)
  breakOff(one)
  t.is((await counting).rows[0].count, 0)
  await other.end()
})

test.serial('a transaction is not begun for a connection that went away while it waited', async t => {
  const [one, other] = [await open(), await open()]
  const resting = database.runExclusive(() => sleep(100))
  one.query('BEGIN').catch(() => undefined)
  await sleep(30)
  breakOff(one)
  await resting
  t.is((await other.query('SELECT count(*)::integer AS count FROM counted')).rows[0].count, 0)
  await other.end()
})

test.serial('a large answer comes whole', async t => {
  const client = await open()
  const { rows } = await client.query('SELECT repeat($1, 300000) AS text FROM generate_series(1, 3)', ['x'])
  t.deepEqual(
    rows.map(({ text }) => text.length),
    [300_000, 300_000, 300_000],
  )
  await client.end()
})

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const message = (type: string, body: Buffer) => Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
const startup = () => {
  const body = Buffer.concat([int32(196_608), Buffer.from('user\0postgres\0database\0postgres\0\0')])
  return Buffer.concat([int32(body.length + 4), body])
}
const parts = [message('P', Buffer.from('\0SELECT 42\0\0\0')), message('B', Buffer.alloc(8)), message('E', Buffer.from('\0\0\0\0\0'))]

/** ReadyForQuery, outside of transactions. */
const ready = 'Z\0\0\0\x05I'

const connected = () => {
  const socket = connect(path)
  let heard = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text
  })
  return { socket, heard: () => heard }
}

test.serial('a large statement comes whole, while others are answered', async t => {
  const [one, other] = [await open(), await open()]
  const large = one.query('SELECT length($1) AS length', ['x'.repeat(20_000_000)])
  t.is((await other.query('SELECT $1::text AS said', ['so'])).rows[0].said, 'so')
  t.is((await large).rows[0].length, 20_000_000)
  await Promise.all([one.end(), other.end()])
})

test.serial('messages that come byte by byte are answered once a Sync is there', async t => {
  const { socket, heard } = connected()
  for (const byte of Buffer.concat([int32(8), int32(80_877_103), startup()])) socket.write(Buffer.from([byte]))
  await until(() => heard().endsWith(ready))
  t.is(heard()[0], 'N')
  const before = heard().length
  for (const byte of Buffer.concat(parts)) socket.write(Buffer.from([byte]))
  await sleep(50)
  t.is(heard().length, before)
  socket.write(message('S', Buffer.alloc(0)))
  await until(() => heard().length > before && heard().endsWith(ready))
  t.regex(heard().slice(before), /42C/)
  socket.destroy()
})

test.serial('of several requests in one piece each is answered', async t => {
  const { socket, heard } = connected()
  socket.write(startup())
  await until(() => heard().endsWith(ready))
  const before = heard().length
  const request = Buffer.concat([...parts, message('S', Buffer.alloc(0))])
  socket.write(Buffer.concat([request, message('Q', Buffer.from('SELECT nothing\0')), request]))
  await until(() => heard().slice(before).split(ready).length === 4)
  const [first, second, third] = heard().slice(before).split(ready)
  t.regex(first ?? '', /42C/)
  t.regex(second ?? '', /column "nothing" does not exist/)
  t.regex(third ?? '', /42C/)
  socket.write(message('X', Buffer.alloc(0)))
  await until(() => socket.readableEnded)
})

test.serial('what was asked before a goodbye in the same piece is done', async t => {
  const { socket, heard } = connected()
  socket.write(startup())
  await until(() => heard().endsWith(ready))
  socket.write(Buffer.concat([message('Q', Buffer.from('INSERT INTO counted VALUES (7)\0')), message('X', Buffer.alloc(0))]))
  await until(() => socket.readableEnded)
  const client = await open()
  t.is((await client.query('SELECT n FROM counted WHERE n = $1', [7])).rows.length, 1)
  await client.end()
})

for (const [title, sent] of Object.entries({
  'a Flush': Buffer.concat([...parts, message('H', Buffer.alloc(0))]),
  'a message shorter than its length': Buffer.from('Q\0\0\0\0'),
  'a message of a negative length': Buffer.from('Q\xff\xff\xff\xff', 'latin1'),
}))
  test.serial(`${title} ends the connection alone`, async t => {
    const { socket, heard } = connected()
    socket.write(startup())
    await until(() => heard().endsWith(ready))
    socket.write(sent)
    await until(() => socket.destroyed)
    const client = await open()
    t.is((await client.query('SELECT $1::text AS said', ['so'])).rows[0].said, 'so')
    await client.end()
  })
