// A server full of what people and clients have, its backup in memory, and what is still good on a server made from it.
import { randomBytes, randomUUID } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as client from 'openid-client'
import { createCipher } from '../../src/backup/cipher.ts'
import type { Erasure } from '../../src/backup/erasures.ts'
import { restore } from '../../src/backup/restore.ts'
import { writeBackup } from '../../src/backup/write.ts'
import { createEndHeldAgents } from '../../src/clients/agent-endings.ts'
import { endGrantsOfAgents } from '../../src/oidc/agent-grants.ts'
import { endBackchannelRequestsOfClient } from '../../src/oidc/backchannel-requests.ts'
import { systemActor } from '../../src/platform/actor.ts'
import type { Database } from '../../src/platform/data/database.ts'
import { type LastingKey, secretsOver } from '../../src/platform/data/lasting-keys.ts'
import { createSecrets, type Secrets } from '../../src/platform/secrets.ts'
import { createUuids } from '../../src/platform/uuid.ts'
import { fanOut } from '../../src/webhooks/fan-out.ts'
import { makeClient, refusal } from './clients.ts'
import { testSecretKey } from './demo-filling.ts'
import { asksFor, enterPassword, go, open } from './factor-journeys.ts'
import { codeOf, enrolTotp } from './factors.ts'
import { createPerson } from './person.ts'
import { createRelyingParty, redirectUri } from './relying-party.ts'
import type { TestServer } from './server.ts'
import { makeUser } from './users.ts'

const now = () => new Date()
const uuids = createUuids(randomBytes)

/** What writing and restoring need, under the key of the tests unless told otherwise. */
export const needsUnder = (secretKey = testSecretKey, backupKey?: string, previousKeys: readonly string[] = []) => {
  const given = { secretKey, previousKeys, randomBytes }
  const secrets: Secrets = createSecrets(given)
  return {
    secrets,
    secretsOver: (keys: readonly LastingKey[]) => secretsOver(keys, given),
    cipher: createCipher({ secrets, backupKey, workFactor: 10 }),
    now,
    newId: randomUUID,
    newUuid: () => uuids(now()),
    outbox: fanOut,
    endAgents: createEndHeldAgents({ endRequests: endBackchannelRequestsOfClient, endGrants: endGrantsOfAgents, now }),
  }
}

/** The backup of a database, whole in memory. */
export async function backUp(database: Database, needs = needsUnder()): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  const write = async (bytes: AsyncIterable<Uint8Array>) => {
    for await (const chunk of bytes) chunks.push(chunk)
  }
  await writeBackup(database, { ...needs, write })
  return Buffer.concat(chunks)
}

/** Some bytes as they come from a file. */
export async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += 50_000) yield bytes.subarray(from, from + 50_000)
}

/** Restores bytes into a database, and leaves that open. */
export const restoreInto = (
  database: Database,
  {
    bytes,
    needs = needsUnder(),
    ...how
  }: {
    bytes: Buffer
    needs?: ReturnType<typeof needsUnder>
    isReplaced?: boolean
    areSessionsKept?: boolean
    areDeletedRevived?: boolean
    toldErasures?: readonly Erasure[]
    beforeCommit?: () => void
  },
) => restore(needs, { cipher: needs.cipher, read: () => pieces(bytes), open: async () => ({ ...database, close: async () => {} }), ...how })

/** What {@link fill} made. */
export type Filled = Awaited<ReturnType<typeof fill>>

/** People with factors, clients, tokens, sessions of every kind, a code that nobody redeemed and an invitation that is open. */
export async function fill(server: TestServer) {
  const { database } = server.resources
  const relyingParty = await makeClient(server, { refreshGraceSeconds: 0 })
  const user = await makeUser(server)
  const { person, tokens } = await relyingParty.signIn({ who: user })
  const asked = await relyingParty.request()
  const unredeemed = await person.follow(await person.get(asked.url), redirectUri)
  const { uri } = await enrolTotp(server, user)
  const login = await fetch(`${server.issuer}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'alice@acme-corp.com', password: 'OwnerPass123!' }),
  })
  const { data } = (await login.json()) as { data: { token: string } }
  const { key } = await server.services.apiKeys.create(systemActor, { name: 'A machine', permissions: ['users:read'] })
  await server.services.webhooks.create(systemActor, { url: 'https://receiver.invalid/', events: ['backup.*'] })
  const revokedKey = await revokeOne(server)
  // Enough that a backup has several chunks.
  for (let pictures = 0; pictures < 3; pictures += 1)
    await database.pool.query("INSERT INTO images (hash, type, bytes) VALUES ($1, 'image/png', $2)", [randomBytes(32), randomBytes(100_000)])
  const [organization] = (await database.pool.query("SELECT id FROM organizations WHERE slug = 'acme-corp'")).rows
  await database.pool.query(
    `INSERT INTO invitations (id, organization_id, email, role, token_hash, expires_at) VALUES (gen_random_uuid(), $1, 'guest@people.example', 'member', $2, now() + interval '1 day')`,
    [organization.id, randomBytes(32)],
  )
  return { ...relyingParty, asked, unredeemed: unredeemed.location, user, person, tokens, seed: uri, apiToken: data.token, apiKey: key, revokedKey }
}

async function revokeOne(server: TestServer): Promise<string> {
  const { rows } = await server.resources.database.pool.query("SELECT kid FROM signing_keys WHERE algorithm = 'EdDSA' AND state = 'current'")
  await server.services.signingKeys.revoke(systemActor, { kid: rows[0].kid })
  return rows[0].kid
}

/** What is good on a server that was made from another one's data: who signs in by both factors, and what older tokens are worth. */
export async function tryAll(t: ExecutionContext, { server, filled, areSessionsKept }: { server: TestServer; filled: Filled; areSessionsKept: boolean }) {
  const { clientId, secret, tokens, user, seed, unredeemed, asked } = filled
  const relyingParty = await createRelyingParty(server.issuer, { clientId, secret })
  const me = async (token: string, path = 'auth/me') =>
    (await fetch(`${server.issuer}/api/v1/${path}`, { headers: { authorization: `Bearer ${token}` } })).status
  const refreshed = client.refreshTokenGrant(relyingParty.configuration, tokens.refresh_token ?? '')
  if (areSessionsKept) t.truthy((await refreshed).access_token, 'a refresh token is good')
  else t.is(await refusal(refreshed), 'invalid_grant', 'a refresh token is dead')
  t.is((await client.tokenIntrospection(relyingParty.configuration, tokens.access_token)).active, areSessionsKept)
  t.is(await me(filled.apiToken), areSessionsKept ? 200 : 401, 'a session of the API')
  t.is(await me(filled.apiKey, 'users'), 200, 'a key of the API is good')
  if (!unredeemed) throw new Error('there was no code')
  if (!areSessionsKept) {
    const code = unredeemed.searchParams.get('code') ?? ''
    const redeemed = client.genericGrantRequest(relyingParty.configuration, 'authorization_code', {
      code,
      redirect_uri: redirectUri,
      code_verifier: asked.verifier,
    })
    t.is(await refusal(redeemed), 'invalid_grant', 'a code that nobody redeemed is dead')
  }
  const jwks = createRemoteJWKSet(new URL(`${server.issuer}/oauth2/jwks`))
  t.is((await jwtVerify(tokens.id_token ?? '', jwks)).payload.sub, user.id, 'what was signed before is verified')
  const browser = createPerson()
  const { page, claims } = await open(browser, { ...relyingParty, clientId, secret })
  const second = await enterPassword(browser, page, user)
  t.is(asksFor(second), 'second-factor')
  t.deepEqual((await claims(await go(browser, second, { code: codeOf(seed, 1) })))?.amr, ['pwd', 'otp', 'mfa'])
  t.like(await server.services.verification.verify({}), { isIntact: true, faults: [] })
}
