// Many clients that ask in turn for tokens of their own, all with the demo service's secret.
import type { ClientMetadata } from 'oidc-provider'
import pg from 'pg'
import { service } from './demo-data.ts'

const count = 1000

/** Their credentials. */
export const manyClients: readonly { readonly id: string; readonly secret: string }[] = Array.from({ length: count }, (_, n) => ({
  id: `bench-client-${n}`,
  secret: service.secret,
}))

/** As metadata for the baseline. */
export const manyClientsMetadata: readonly ClientMetadata[] = manyClients.map(({ id, secret }) => ({
  client_id: id,
  client_secret: secret,
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
}))

const clients = `
  INSERT INTO clients SELECT (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(), 'client_id', 'bench-client-' || n))).*
  FROM clients c, generate_series(0, ${count - 1}) n WHERE c.client_id = '${service.id}'`

const secrets = `
  INSERT INTO client_secrets SELECT (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid(), 'client_id', b.id))).*
  FROM client_secrets s JOIN clients c ON c.id = s.client_id AND c.client_id = '${service.id}', clients b WHERE b.client_id LIKE 'bench-client-%'`

/** Adds them to a migrated and seeded database, as copies of the demo service. */
export async function fillManyClients(databaseUrl: string): Promise<void> {
  const database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  try {
    for (const statement of [clients, secrets]) await database.query(statement)
  } finally {
    await database.end()
  }
}
