// Fills a migrated PostgreSQL database with many users, organizations, clients, events and artifacts, in a few statements: what speed
// costs when there is much, and whether any statement walks through a whole table, is asked of such a database.

/** How many of each; members and secrets follow from them. */
export interface Population {
  readonly users: number
  readonly organizations: number
  readonly clients: number
  readonly events: number
  readonly artifacts: number
}

// As our own ids: the time first (here a millisecond a row, up to now), so that indexes are filled as they are in life.
const newId = (row: string, of: number) =>
  `overlay(overlay(gen_random_uuid()::text placing regexp_replace(lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - ${of} + ${row}), 12, '0'), '^(.{8})', '\\1-') from 1) placing '7' from 15)::uuid`

const users = (count: number) => `
  INSERT INTO users (id, email, email_normalized, email_verified_at, name, updated_at)
  SELECT ${newId('n', count)}, 'person' || n || '@crowd.example', 'person' || n || '@crowd.example', now(), 'Person ' || n, now()
  FROM generate_series(1, ${count}) n`

const organizations = (count: number) => `
  INSERT INTO organizations (id, slug, name, updated_at)
  SELECT ${newId('n', count)}, 'crowd-' || n, 'Crowd ' || n, now() FROM generate_series(1, ${count}) n`

const members = `
  WITH o AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n, count(*) OVER () AS of FROM organizations WHERE slug LIKE 'crowd-%'),
       u AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM users WHERE email_normalized LIKE '%@crowd.example')
  INSERT INTO organization_members (organization_id, user_id, role, updated_at)
  SELECT o.id, u.id, CASE WHEN u.n < o.of THEN 'owner' ELSE 'member' END, now() FROM u JOIN o ON o.n = u.n % o.of`

const clients = (count: number) => `
  INSERT INTO clients (id, client_id, organization_id, name, token_endpoint_auth_method, grant_types, response_types, redirect_uris, post_logout_redirect_uris, updated_at)
  SELECT ${newId('n', count)}, 'crowd-client-' || n, (SELECT id FROM organizations WHERE slug = 'crowd-' || (1 + n % (SELECT count(*) FROM organizations WHERE slug LIKE 'crowd-%'))),
    'Client ' || n, 'client_secret_basic', '{authorization_code,refresh_token}', '{code}', '{https://app.crowd.example/callback}', '{}', now()
  FROM generate_series(1, ${count}) n`

const secrets = `
  INSERT INTO client_secrets (id, client_id, digest, hint)
  SELECT gen_random_uuid(), id, sha256(client_id::bytea), 'abcd' FROM clients WHERE client_id LIKE 'crowd-client-%'`

// An organization's events, each in its place of that organization's chain; none is of the system or of an organization that is measured.
const events = (count: number) => `
  WITH o AS (SELECT id, row_number() OVER (ORDER BY id) AS n, count(*) OVER () AS of FROM organizations WHERE slug LIKE 'crowd-%')
  INSERT INTO audit_events (id, occurred_at, action, outcome, actor_kind, actor_id, target_kind, target_id, target, organization_id, request_id, ip, hash, previous, seq)
  SELECT ${newId('e', count)}, now() - (${count} - e) * interval '1 millisecond', 'user.signed_in', 'kept', 'user', gen_random_uuid(), 'user', gen_random_uuid(),
    '{"method":"password"}', o.id, gen_random_uuid(), '192.0.2.1', sha256(e::text::bytea), sha256((e - 1)::text::bytea), 1 + e / o.of
  FROM generate_series(0, ${count} - 1) e JOIN o ON o.n = 1 + e % o.of`

const artifacts = (count: number) => `
  INSERT INTO oidc_artifacts (key, kind, payload, grant_id, account_id, client_id, expires_at)
  SELECT sha256(('crowd' || n)::bytea), (ARRAY['RefreshToken', 'AccessToken', 'Grant'])[1 + n % 3],
    json_build_object('kind', 'RefreshToken', 'grantId', 'crowd-grant-' || n / 3, 'scope', 'openid profile email offline_access', 'filler', repeat('x', 400)),
    'crowd-grant-' || n / 3, gen_random_uuid()::text, 'crowd-client-' || n % 100, now() + interval '14 days'
  FROM generate_series(1, ${count}) n`

const sessions = `
  INSERT INTO sessions (id, user_id, kind, sid, amr, expires_at)
  SELECT gen_random_uuid(), id, 'browser', 'crowd-' || id, '{pwd}', now() + interval '14 days' FROM users WHERE email_normalized LIKE '%@crowd.example'`

const authenticators = `
  INSERT INTO authenticators (id, user_id, kind, name, secret, confirmed_at, updated_at)
  SELECT gen_random_uuid(), id, 'totp', 'App', 'sealed', now(), now() FROM users WHERE email_normalized LIKE '%@crowd.example'`

/** Fills it, and has the planner look at what is there. `run` runs one statement. */
export async function populate(run: (statement: string) => Promise<unknown>, population: Population): Promise<void> {
  const statements = [
    users(population.users),
    organizations(population.organizations),
    members,
    clients(population.clients),
    secrets,
    events(population.events),
    artifacts(population.artifacts),
    sessions,
    authenticators,
    'ANALYZE',
  ]
  for (const statement of statements) await run(statement)
}
