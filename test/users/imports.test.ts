// An import that the database fails in the middle: what was made is told, and so is what was not.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { createImportedPasswords } from '../../src/authentication/imported-passwords.ts'
import { systemActor } from '../../src/platform/actor.ts'
import type { Change } from '../../src/platform/data/change.ts'
import { createUserImports } from '../../src/users/imports.ts'
import { addresses } from '../support/imports.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

/** Imports that are failed by this from the given batch on. */
const failing = (error: Error, from: number) => {
  let batches = 0
  const change: Change = async (actor, work) => {
    batches += 1
    if (batches >= from) throw error
    return server.services.change(actor, work)
  }
  const passwords = createImportedPasswords({ now: server.resources.now, newUuid: randomUUID })
  return createUserImports({ ...server.resources, change, passwords, newUuid: randomUUID })
}
const run = (error: Error, from: number) =>
  failing(error, from).run(systemActor, { rows: addresses(600).map(email => ({ email })), isDryRun: false, isWhole: false })
const types = (results: readonly { error: { type: string } | null }[]) => results.map(({ error }) => error?.type ?? 'none')

for (const [what, error, type] of [
  ['a bug', new TypeError('not a function'), 'INTERNAL_ERROR'],
  ['a deadlock', Object.assign(new Error('deadlock detected'), { code: '40P01' }), 'SERVICE_UNAVAILABLE'],
  ['no order of transactions', Object.assign(new Error('could not serialize access'), { code: '40001' }), 'SERVICE_UNAVAILABLE'],
  ['a time-out', Object.assign(new Error('canceling statement'), { code: '57014' }), 'SERVICE_UNAVAILABLE'],
] as const) {
  test(`${what} after the first batch is told of the rows that were not made`, async t => {
    const { created, failed, results } = await run(error, 2)
    t.deepEqual([created, failed], [250, 350])
    t.deepEqual(types(results), [...Array(250).fill('none'), ...Array(350).fill(type)])
  })

  test(`${what} before anything was made is thrown`, async t => {
    t.is(await t.throwsAsync(run(error, 1)), error)
  })
}
