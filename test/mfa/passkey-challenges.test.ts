// Challenges leave no trace but their hash, and none at all once they expired.
import { randomBytes } from 'node:crypto'
import test from 'ava'
import { createPasskeyChallenges, purgePasskeyChallenges } from '../../src/mfa/passkey-challenges.ts'
import type { Database } from '../../src/platform/data/database.ts'
import { openTestDatabase } from '../support/database.ts'

let database: Database
test.before(async () => {
  database = await openTestDatabase()
})
test.after.always(() => database?.close())

test('what expired is purged, and what lives is left', async t => {
  const at = (offsetSeconds: number) => createPasskeyChallenges({ database, randomBytes, now: () => new Date(Date.now() + offsetSeconds * 1000) })
  const use = { ceremony: 'authentication', binding: 'browser' } as const
  await at(-400).issue(use)
  const living = await at(0).issue(use)
  await purgePasskeyChallenges(database, 100)
  const rows = await database.prisma.passkeyChallenge.findMany()
  t.is(rows.length, 1)
  t.false(JSON.stringify(rows.map(({ hash, bindingHash }) => [Buffer.from(hash).toString('base64url'), Buffer.from(bindingHash).toString()])).includes(living))
  t.true(await at(0).redeem(living, use))
  t.false(await at(0).redeem(living, use))
})
