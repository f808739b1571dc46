// Assertions that were accepted, so that none is accepted twice on whatever process (SAML 2.0 Profiles §4.1.4.5).
import { type Database, statement } from '../platform/data/database.ts'
import { createPurge } from '../platform/data/purge.ts'
import { hashOf } from '../platform/secrets.ts'
import type { ConnectorNeeds } from './connector.ts'

const insert = statement('assertion-accept', 'INSERT INTO accepted_assertions (hash, expires_at) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING RETURNING 1')

/** Makes the memory: one conditional statement decides. */
export const createAcceptOnce =
  ({ database }: { readonly database: Database }): ConnectorNeeds['acceptOnce'] =>
  async ({ connectionId, assertionId, until }) =>
    (await database.run(insert, [hashOf('assertion', `${connectionId}\0${assertionId}`), until])).length > 0

/** Forgets those that no clock would accept again. */
export const purgeAcceptedAssertions = createPurge({ table: 'accepted_assertions', key: 'hash', due: "expires_at < now() - interval '1 hour'" })
