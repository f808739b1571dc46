// An opaque token says what it is; it is looked for among its kind alone, and one that was issued before prefixes among all, as ever.
import test from 'ava'
import * as client from 'openid-client'
import { tokenPrefixes } from '../../src/oidc/token-prefixes.ts'
import { hashOf } from '../../src/platform/secrets.ts'
import { makeClient, type TestClient } from '../support/clients.ts'
import { introspect, isActive, makeResource } from '../support/exchange.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

type Kind = keyof typeof tokenPrefixes

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const makeTokens = async (): Promise<{ by: TestClient; tokens: Record<Kind, string> }> => {
  const by = await makeClient(server, { grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'] })
  const { tokens } = await by.signIn({ who: await makeUser(server) })
  const { access_token } = await client.clientCredentialsGrant(by.configuration)
  return { by, tokens: { AccessToken: tokens.access_token, RefreshToken: tokens.refresh_token ?? '', ClientCredentials: access_token } }
}

const rename = ({ database }: TestServer['resources'], kind: Kind, from: string, to: string) =>
  database.prisma.$executeRaw`UPDATE oidc_artifacts SET key = ${hashOf(kind, to)} WHERE key = ${hashOf(kind, from)}`

test('a token begins with the prefix of its kind, and its reference in a JWT with none', async t => {
  const { by, tokens } = await makeTokens()
  for (const [kind, prefix] of Object.entries(tokenPrefixes)) t.regex(tokens[kind as Kind], new RegExp(`^${prefix}[\\w-]{43}$`))
  const resource = await makeResource(server)
  const { access_token } = await client.clientCredentialsGrant(by.configuration, { resource })
  t.regex(access_token, /^ey/)
  t.regex((await introspect(by, access_token)).jti ?? '', /^[\w-]{43}$/)
})

test('whatever its hint, a token is introspected and revoked as what it is', async t => {
  for (const token_type_hint of ['access_token', 'refresh_token', 'of_no_kind']) {
    const { by, tokens } = await makeTokens()
    for (const [kind, token] of Object.entries(tokens)) {
      const isKnown = async () => (await client.tokenIntrospection(by.configuration, token, { token_type_hint })).active
      t.true(await isKnown(), `${kind} as ${token_type_hint}`)
      await client.tokenRevocation(by.configuration, token, { token_type_hint })
      t.false(await isKnown(), `${kind} revoked as ${token_type_hint}`)
    }
  }
})

test('tokens that were issued before prefixes live on', async t => {
  const { by, tokens } = await makeTokens()
  for (const [kind, token] of Object.entries(tokens)) {
    const bare = token.slice(token.indexOf('_') + 1)
    t.is(await rename(server.resources, kind as Kind, token, bare), 1)
    t.true(await isActive(by, bare), kind)
  }
  const refreshed = await client.refreshTokenGrant(by.configuration, tokens.RefreshToken.slice(tokenPrefixes.RefreshToken.length))
  t.true(refreshed.refresh_token?.startsWith(tokenPrefixes.RefreshToken))
})

test('a token with the prefix of another kind is none', async t => {
  const { by, tokens } = await makeTokens()
  const disguised = tokens.AccessToken.replace(tokenPrefixes.AccessToken, tokenPrefixes.RefreshToken)
  t.is(await rename(server.resources, 'AccessToken', tokens.AccessToken, disguised), 1)
  t.false(await isActive(by, disguised))
})
