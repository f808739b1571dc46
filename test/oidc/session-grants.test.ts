// What of a session makes a grant one that it has: asked of it in memory and of its row in the database, with one answer.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { isInSession } from '../../src/oidc/lineage.ts'
import { hasGrant } from '../../src/oidc/session-grants.ts'
import { openTestDatabase } from '../support/database.ts'

const clientId = 'shop'
const organization = randomUUID()
const [wanted, other] = [{ grantId: 'wanted' }, { grantId: 'other' }]

const sessions: Readonly<Record<string, { authorizations: Record<string, object> | undefined; has: boolean }>> = {
  'nothing at all': { authorizations: undefined, has: false },
  'no client': { authorizations: {}, has: false },
  'the client’s own entry': { authorizations: { shop: wanted }, has: true },
  'an entry without a grant': { authorizations: { shop: {} }, has: false },
  'another grant': { authorizations: { shop: other, 'shop -': other }, has: false },
  'one for no organization': { authorizations: { shop: other, 'shop -': wanted }, has: true },
  'one for an organization': { authorizations: { shop: other, [`shop ${organization}`]: wanted }, has: true },
  'an orphan for no organization': { authorizations: { 'shop -': wanted }, has: false },
  'an orphan for an organization': { authorizations: { [`shop ${organization}`]: wanted }, has: false },
  'one of a client whose name begins alike': { authorizations: { shop: other, 'shop window': wanted, [`shop window ${organization}`]: wanted }, has: false },
  'one of a client whose name is longer': { authorizations: { shop: other, shopping: wanted, 'shopping -': wanted }, has: false },
  'one of a client whose name is shorter': { authorizations: { sho: wanted, 'sho -': wanted, shop: other }, has: false },
}

test('a session in memory and its row tell alike whether it has a grant', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  const { pool } = database
  const asked = `SELECT ${isInSession({ uid: '$1', account: '$2', client: '$3::text', grant: '$4' })} AS has`
  for (const [name, { authorizations, has }] of Object.entries(sessions)) {
    t.is(hasGrant({ authorizations }, { clientId, ...wanted }), has, `in memory: ${name}`)
    await pool.query(
      "INSERT INTO oidc_artifacts (key, kind, payload, account_id, uid, expires_at) VALUES ($1, 'Session', $2, 'somebody', $3, now() + interval '1 hour')",
      [Buffer.from(name), JSON.stringify({ authorizations }), name],
    )
    t.deepEqual((await pool.query(asked, [name, 'somebody', clientId, wanted.grantId])).rows, [{ has }], `in the database: ${name}`)
  }
})
