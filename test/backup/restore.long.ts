// A backup holds every table and comes back whole; what is not as it was written is refused before anything is touched.
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import test from 'ava'
import { lineOf } from '../../src/audit/output.ts'
import { BackupError } from '../../src/backup/backup.ts'
import { readWhole } from '../../src/backup/files.ts'
import { verifyBackup } from '../../src/backup/read.ts'
import { restore } from '../../src/backup/restore.ts'
import { ended, kept, leftOut } from '../../src/backup/table-rules.ts'
import { readToldErasures } from '../../src/backup/told-erasures.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { RefillError } from '../../src/platform/data/refill-error.ts'
import { historyName, readSequences, readTables } from '../../src/platform/data/tables.ts'
import { makeAgent, makeKey } from '../support/agents.ts'
import { backUp, type Filled, fill, needsUnder, pieces, restoreInto, tryAll } from '../support/backups.ts'
import { makeClient } from '../support/clients.ts'
import { makeDataDir, openEmptyDatabase } from '../support/database.ts'
import { testSecretKey } from '../support/demo-filling.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let filled: Filled
let bytes: Buffer
test.before(async () => {
  server = await startServer()
  filled = await fill(server)
  bytes = await backUp(server.resources.database)
})
test.after.always(() => server?.close())

const codeOfError = async (work: Promise<unknown>): Promise<string | undefined> => {
  try {
    await work
    return undefined
  } catch (error) {
    if (error instanceof BackupError || error instanceof RefillError) return error.code
    throw error
  }
}
const openNothing = () => Promise.reject(new Error('the database was opened'))
const refused = (given: Buffer, needs = needsUnder()) => codeOfError(restore(needs, { cipher: needs.cipher, read: () => pieces(given), open: openNothing }))

test.serial('every table is in it that is not left out by name, and nothing is named that is not there', async t => {
  const tables = (await readTables(server.resources.database.pool as never)).map(({ name }) => name)
  const { tables: told } = await verifyBackup({ bytes: pieces(bytes), cipher: needsUnder().cipher })
  t.deepEqual(told.map(({ table }) => table).sort(), tables.filter(name => !(name in leftOut)).sort())
  const unknown = Object.keys({ ...leftOut, ...ended, ...kept }).filter(name => name !== historyName && !tables.includes(name))
  t.deepEqual(unknown, [])
})

test.serial('a table that looks as if it held what is good once or for a time, or what can be taken back, is decided on by name', async t => {
  const tables = await readTables(server.resources.database.pool as never)
  const isPassing =
    /^(expires?|expires_at|used_at|consumed_at|accepted_at|attempts|attempts_left|locked_until|run_at|token_hash|sealed|sealed_jwk|secrets?|revoked_at)$/
  const passing = tables.filter(({ columns }) => columns.some(({ name }) => isPassing.test(name))).map(({ name }) => name)
  const undecided = passing.filter(name => !(name in leftOut || name in ended || name in kept || name === 'clients'))
  t.deepEqual(undecided, [], 'say in src/backup/table-rules.ts what a restore does with it')
})

test.serial('there is nothing in the database that a copy of its tables lacks', async t => {
  const { rows } = await server.resources.database.pool.query(
    "SELECT quote_ident(relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND relkind IN ('S', 'v', 'm', 'f')",
  )
  // Sequences go on from the rows that they numbered.
  const sequences = (await readSequences(server.resources.database.pool as never)).map(({ sequence }) => sequence)
  t.deepEqual(
    rows.map(({ name }) => name),
    sequences,
  )
  for (const { name, key } of await readTables(server.resources.database.pool as never)) t.true(key.length > 0, `${name} has a primary key`)
})

test.serial('restored elsewhere, everybody signs in anew with both factors, clients are who they were, and no older sign-in lives', async t => {
  const database = await openEmptyDatabase()
  const { liveKeys } = await restoreInto(database, { bytes })
  const restored = await startServer({ database })
  t.teardown(restored.close)
  await tryAll(t, { server: restored, filled, areSessionsKept: false })
  const { rows } = await database.pool.query(
    "SELECT (SELECT count(*)::int FROM invitations WHERE revoked_at IS NULL) AS open, (SELECT count(*)::int FROM audit_events WHERE action = 'backup.restored') AS told, (SELECT count(*)::int FROM webhook_deliveries WHERE action = 'backup.restored') AS told_on",
  )
  t.deepEqual(rows, [{ open: 0, told: 1, told_on: 1 }])
  const kids = (await database.pool.query("SELECT kid FROM signing_keys WHERE state <> 'revoked'")).rows.map(({ kid }) => kid)
  t.deepEqual([...liveKeys], kids.sort(), 'the keys to be looked through are named')
  t.false(liveKeys.includes(filled.revokedKey))
})

test.serial('no statement of a restore lives under the time limits of a request', async t => {
  const database = await openEmptyDatabase()
  t.teardown(database.close)
  const sent: { text: string; query_timeout?: number }[] = []
  database.pool.once('acquire', connection => {
    const send = connection.query.bind(connection) as (...given: unknown[]) => never
    connection.query = (...given: unknown[]) => {
      sent.push(typeof given[0] === 'string' ? { text: given[0] } : (given[0] as (typeof sent)[number]))
      return send(...given)
    }
  })
  const atCommit: (string | undefined)[] = []
  await restoreInto(database, { bytes, beforeCommit: () => atCommit.push(sent.at(-1)?.text) })
  const texts = sent.map(({ text }) => text)
  t.deepEqual([atCommit.length, texts[texts.indexOf('COMMIT') - 1]], [1, atCommit[0]], 'whoever waits for the commit is told just before it')
  for (const text of ['SET statement_timeout = 0', 'UPDATE users SET access_ended_at', 'DELETE FROM oidc_artifacts', 'CREATE TABLE', 'COMMIT', 'ANALYZE'])
    t.true(
      texts.some(one => one.includes(text)),
      text,
    )
  const hurried = sent.filter(({ query_timeout = 0 }) => query_timeout < 3_600_000)
  t.deepEqual(
    hurried.map(({ text }) => text),
    [],
  )
})

test.serial('what was backed up under the SECRET_KEY before opens, and its audit log goes on', async t => {
  const database = await openEmptyDatabase()
  const later = 'a-later-secret-key-0123456789-abcdefghijklm'
  t.is(await refused(bytes, needsUnder(later)), 'key_wrong')
  await restoreInto(database, { bytes, needs: needsUnder(later, undefined, [testSecretKey]) })
  const restored = await startServer({ database, settings: { SECRET_KEY: later, SECRET_KEY_PREVIOUS: testSecretKey } })
  t.teardown(restored.close)
  await tryAll(t, { server: restored, filled, areSessionsKept: false })
})

test.serial('where sessions are kept, tokens go on', async t => {
  const database = await openEmptyDatabase()
  await restoreInto(database, { bytes, areSessionsKept: true })
  const restored = await startServer({ database })
  t.teardown(restored.close)
  await tryAll(t, { server: restored, filled, areSessionsKept: true })
  t.is(await codeOfError(restoreInto(database, { bytes })), 'not_empty')
})

test.serial('what a passphrase closed opens under it alone, and only under the SECRET_KEY it was made under', async t => {
  const closed = await backUp(server.resources.database, needsUnder(undefined, 'correct horse battery staple'))
  t.is(await refused(closed), 'key_wrong')
  t.is(await refused(closed, needsUnder(undefined, 'another passphrase of mine')), 'key_wrong')
  t.is(await refused(closed, needsUnder('another-secret-key-0123456789-abcdefghijk', 'correct horse battery staple')), 'secret_key_other')
  t.is(await refused(bytes, needsUnder('another-secret-key-0123456789-abcdefghijk')), 'key_wrong')
})

test.serial('an age recipient closes what its identity opens', async t => {
  const identity = await generateX25519Identity()
  const closed = await backUp(server.resources.database, needsUnder(undefined, await identityToRecipient(identity)))
  t.is(await refused(closed, needsUnder(undefined, await identityToRecipient(identity))), 'key_wrong')
  t.is((await verifyBackup({ bytes: pieces(closed), cipher: needsUnder(undefined, identity).cipher })).tables.length > 20, true)
})

test.serial('a bit that was flipped anywhere is found before anything is written', async t => {
  const places = [0, 5, bytes.length - 1, ...Array.from({ length: 50 }, () => randomInt(bytes.length))]
  for (const place of places) {
    const flipped = Buffer.from(bytes)
    flipped[place] = (flipped[place] ?? 0) ^ (1 << randomInt(8))
    t.regex((await refused(flipped)) ?? 'accepted', /^(damaged|key_wrong)$/, `the byte at ${place}`)
  }
})

test.serial('a file that may not be read is told of as such, and is not called damaged, whenever that shows', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'authy2-unreadable-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const needs = needsUnder()
  const verify = (read: AsyncIterable<Uint8Array>) => codeOfError(verifyBackup({ bytes: read, cipher: needs.cipher }))
  const file = join(folder, 'backup.age')
  writeFileSync(file, bytes)
  t.is(await verify(readWhole(file)), undefined)
  t.is(await verify(readWhole(folder)), 'file_unreadable')
  t.is(await verify(readWhole(join(folder, 'none'))), 'file_missing')
  symlinkSync('loop', join(folder, 'loop'))
  const error = await t.throwsAsync(verifyBackup({ bytes: readWhole(join(folder, 'loop')), cipher: needs.cipher }))
  t.regex(error?.message ?? '', /loop cannot be read: ELOOP/)
  for (const length of [10, bytes.length >> 1]) {
    const failing = async function* () {
      yield bytes.subarray(0, length)
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' })
    }
    await t.throwsAsync(verifyBackup({ bytes: failing(), cipher: needs.cipher }), { code: 'EIO' }, `after ${length} bytes`)
  }
})

test.serial('what was cut, lengthened or put in another order is refused', async t => {
  for (const length of [0, 1, 100, 300, bytes.length >> 1, bytes.length - 1]) t.is(await refused(bytes.subarray(0, length)), 'damaged', `cut to ${length}`)
  t.is(await refused(Buffer.concat([bytes, Buffer.from('more')])), 'damaged')
  // Chunks of an age file are of 64 KiB and a tag.
  const [size, end] = [65_552, bytes.length]
  const chunks = [
    bytes.subarray(0, end - 3 * size),
    bytes.subarray(end - 3 * size, end - 2 * size),
    bytes.subarray(end - 2 * size, end - size),
    bytes.subarray(end - size),
  ]
  const [head, first, second, rest] = chunks as [Buffer, Buffer, Buffer, Buffer]
  for (const other of [
    [head, second, first, rest],
    [head, first, first, rest],
    [head, first, rest],
  ])
    t.is(await refused(Buffer.concat(other)), 'damaged')
  t.is(await refused(Buffer.from('not a backup at all')), 'damaged')
})

test.serial('the keys of agents whose owner or organization is deleted again have ended for good: they are not taken after the restore', async t => {
  const owner = await makeUser(server)
  const { id: organizationId } = await server.services.organizations.create(systemActor, { name: 'Gone since, with an agent' })
  const agents = [await makeAgent(server, { ownerUserId: owner.id }), await makeAgent(server, { organizationId })]
  const given = { bytes: await backUp(server.resources.database), areSessionsKept: true }
  const database = await openEmptyDatabase()
  const at = { deletedAt: new Date() }
  const toldErasures = [{ kind: 'user', id: owner.id, ...at } as const, { kind: 'organization', id: organizationId, ...at } as const]
  t.is((await restoreInto(database, { ...given, toldErasures })).erased.length, 2)
  const restored = await startServer({ database })
  t.teardown(restored.close)
  const told = await database.pool.query("SELECT target->>'client_id' AS id, organization_id AS of FROM audit_events WHERE action = 'client.access_ended'")
  t.deepEqual(new Map(told.rows.map(({ id, of }) => [id, of])), new Map(agents.map(({ clientId }, index) => [clientId, index === 0 ? null : organizationId])))
  const { clientAdministration, userAdministration, organizations } = restored.services
  await userAdministration.restore(systemActor, owner.id as never)
  await organizations.restore(systemActor, organizationId)
  for (const { clientId: id, key } of agents) {
    const { metadata, secrets } = await clientAdministration.get({ id })
    t.deepEqual([metadata, secrets], [{ jwks: { keys: [] } }, []])
    await t.throwsAsync(clientAdministration.update(systemActor, { id }, { metadata: { jwks: key.jwks } }), { code: 'validation_failed' })
    const { jwks } = await makeKey()
    t.deepEqual((await clientAdministration.update(systemActor, { id }, { metadata: { jwks } })).metadata, { jwks })
  }
})

// The last one: it leaves the server another database.
test.serial('who was deleted since the backup is deleted again where the database is replaced, and purged who was purged, unless told otherwise', async t => {
  const { services, resources } = server
  const { userAdministration, organizations, verification } = services
  const people = { stays: await makeUser(server), gone: await makeUser(server), undone: await makeUser(server), purged: await makeUser(server) }
  const { id: organizationId } = await organizations.create(systemActor, { name: 'Gone since' })
  const { clientId } = await makeClient(server, { organizationId })
  const before = await backUp(resources.database)
  for (const { id } of [people.gone, people.undone, people.purged]) await userAdministration.remove(systemActor, id)
  await userAdministration.restore(systemActor, people.undone.id)
  await resources.database.pool.query("UPDATE users SET deleted_at = now() - interval '31 days' WHERE id = $1", [people.purged.id])
  await userAdministration.purge(systemActor, 100)
  await organizations.remove(systemActor, organizationId)
  const log = await exportAll()

  const living = async () => {
    const { rows } = await resources.database.pool.query(
      'SELECT id FROM users WHERE deleted_at IS NULL UNION SELECT id FROM organizations WHERE deleted_at IS NULL',
    )
    const ids = new Set(rows.map(({ id }) => id))
    return [...Object.values(people), { id: organizationId }].map(({ id }) => ids.has(id))
  }
  const isClientAlive = async () =>
    (await resources.database.pool.query('SELECT disabled_at IS NULL AS is_alive FROM clients WHERE client_id = $1', [clientId])).rows[0].is_alive
  const { erased } = await restoreInto(resources.database, { bytes: before, isReplaced: true, areSessionsKept: true })
  t.deepEqual(erased.map(({ id }) => id).sort(), [people.gone.id, people.purged.id, organizationId].sort())
  t.deepEqual([await living(), await isClientAlive()], [[true, false, true, false, false], false])
  const { rows } = await resources.database.pool.query("SELECT target_id FROM audit_events WHERE target->>'reason' = 'deleted_before_restore'")
  t.deepEqual(rows.map(({ target_id: id }) => id).sort(), erased.map(({ id }) => id).sort())
  t.deepEqual((await verification.verify({})).faults, [])
  await userAdministration.purge(systemActor, 100)
  const left = await resources.database.pool.query('SELECT id FROM users WHERE id = ANY($1)', [[people.gone.id, people.purged.id]])
  t.deepEqual(left.rows, [{ id: people.gone.id }])

  const revived = await restoreInto(resources.database, { bytes: before, isReplaced: true, areDeletedRevived: true })
  t.deepEqual([revived.erased, await living(), await isClientAlive()], [[], [true, true, true, true, true], true])

  // The old database is lost, and an export of its audit log is not.
  const { dataDir, remove } = makeDataDir()
  t.teardown(remove)
  const file = join(dataDir, 'audit.ndjson')
  writeFileSync(file, log)
  const toldErasures = await readToldErasures(file)
  await restoreInto(resources.database, { bytes: before, isReplaced: true, areDeletedRevived: true, toldErasures })
  t.deepEqual([await living(), await isClientAlive()], [[true, false, true, false, false], false])
  writeFileSync(file, `${log}{"action":"user.deleted"}\n`)
  t.is(await codeOfError(readToldErasures(file)), 'export_unreadable')
})

/** The events of all chains, as their exports write them. */
const exportAll = async () => {
  const lines: string[] = []
  for await (const line of server.services.auditExport.read({})) lines.push(JSON.stringify(lineOf(line)))
  return `${lines.join('\n')}\n`
}
