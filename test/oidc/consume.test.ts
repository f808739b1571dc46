// What the store of artifacts decides for many at once: of each that is used once, one winner.
import test from 'ava'
import { createPostgresArtifacts } from '../../src/oidc/artifacts-postgres.ts'
import type { Database } from '../../src/platform/data/database.ts'
import { openTestDatabase } from '../support/database.ts'

let database: Database
test.before(async () => {
  database = await openTestDatabase()
})
test.after.always(() => database?.close())

const kind = 'AuthorizationCode'
const put = (ids: readonly string[]) => Promise.all(ids.map(id => createPostgresArtifacts(database).put({ kind, id, payload: { jti: id }, ttlSeconds: 60 })))

test.serial('of many that consume the same codes at once, by several processes, each code has one winner', async t => {
  const ids = Array.from({ length: 10 }, (_, index) => `contested-${index}`)
  await put(ids)
  const processes = [0, 1, 2].map(() => createPostgresArtifacts(database))
  const tries = Array.from({ length: 21 }, (_, index) => (index % 2 === 0 ? ids : ids.toReversed()).map(id => ({ id, store: processes[index % 3] }))).flat()
  const won = await Promise.all(tries.map(async ({ id, store }) => ((await store?.consume(kind, id)) ? [id] : [])))
  t.deepEqual(won.flat().sort(), [...ids].sort())
})

test.serial('what is consumed in one turn costs one statement, and each is told of its own', async t => {
  const ids = Array.from({ length: 20 }, (_, index) => `together-${index}`)
  await put(ids)
  const store = createPostgresArtifacts(database)
  await store.consume(kind, 'together-3')
  const before = database.roundTrips()
  const consumed = await Promise.all([...ids, 'never there'].map(id => store.consume(kind, id)))
  t.is(database.roundTrips() - before, 1)
  t.deepEqual(
    consumed,
    [...ids, 'never there'].map(id => id !== 'together-3' && id !== 'never there'),
  )
})
