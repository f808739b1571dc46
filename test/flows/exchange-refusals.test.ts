// What token exchange refuses, and in which words (RFC 8693 §2.2.2): requests, clients, tokens, targets, scopes; and every kind of secret as a token.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { makeClient, type TestClient } from '../support/clients.ts'
import { accessTokenType, actorTokenOf, askExchange, exchangeGrant, exchangerGrants, makeExchanger, makeResource, makeSubject } from '../support/exchange.ts'
import { startServer, type TestServer } from '../support/server.ts'

const type = (name: string) => `urn:ietf:params:oauth:token-type:${name}`

interface Ground {
  readonly server: TestServer
  readonly orders: string
  readonly stock: string
  readonly front: TestClient
  readonly stranger: TestClient
  readonly back: TestClient
  readonly quiet: TestClient
  readonly named: TestClient
  readonly spa: TestClient
  readonly bare: TestClient
  readonly token: string
  readonly strangers: string
  readonly userinfo: string
  readonly own: string
  readonly spas: string
  readonly actor: string
  readonly strangersActor: string
}
let ground: Ground
test.before(async () => {
  const server = await startServer()
  const [orders, stock] = await Promise.all([makeResource(server), makeResource(server, { tokenFormat: 'opaque' })])
  const audiences = [
    { identifier: stock, scopes: ['read', 'gone'] },
    { identifier: orders, scopes: ['read', 'write'] },
    { identifier: 'https://unregistered.example/', scopes: ['read'] },
  ]
  const [front, stranger, bare] = await Promise.all([
    makeClient(server),
    makeClient(server, { grantTypes: exchangerGrants }),
    makeClient(server, { grantTypes: exchangerGrants }),
  ])
  const allowed_clients = [front.clientId]
  const [back, quiet, named, spa] = await Promise.all([
    makeExchanger(server, { allowed_clients, audiences, may_delegate: true }),
    makeExchanger(server, { allowed_clients, may_impersonate: false }),
    makeExchanger(server, { allowed_clients, audiences, may_impersonate: false, may_delegate: true }),
    makeExchanger(
      server,
      { allowed_clients, audiences, may_delegate: true },
      { authenticationMethod: 'none', grantTypes: ['authorization_code', 'refresh_token', exchangeGrant] },
    ),
  ])
  const subjectOf = async (by: TestClient, resource?: string) => (await makeSubject(server, by, { resource, scope: 'openid email read write' })).token
  const [token, userinfo, strangers, own, spas] = await Promise.all([
    subjectOf(front, orders),
    subjectOf(front),
    subjectOf(stranger, orders),
    subjectOf(back, orders),
    subjectOf(spa, orders),
  ])
  const [actor, strangersActor] = await Promise.all([actorTokenOf(back), actorTokenOf(stranger)])
  ground = { server, orders, stock, front, stranger, back, quiet, named, spa, bare, token, strangers, userinfo, own, spas, actor, strangersActor }
})
test.after.always(() => ground?.server.close())

type Fields = Record<string, string | string[] | undefined>
interface Row {
  readonly what: string
  readonly error: string
  readonly by?: (from: Ground) => TestClient
  /** Laid over a request that is granted; `undefined` leaves a parameter out. */
  readonly over: (from: Ground) => Fields
}
const acting = ({ actor }: Ground): Fields => ({ actor_token: actor, actor_token_type: accessTokenType })

const rows: readonly Row[] = [
  // §2.1: the request.
  { what: 'no subject token', error: 'invalid_request', over: () => ({ subject_token: undefined }) },
  { what: 'an empty subject token', error: 'invalid_request', over: () => ({ subject_token: '' }) },
  { what: 'two subject tokens', error: 'invalid_request', over: ({ token }) => ({ subject_token: [token, token] }) },
  { what: 'no type of the subject token', error: 'invalid_request', over: () => ({ subject_token_type: undefined }) },
  { what: 'two types of the subject token', error: 'invalid_request', over: () => ({ subject_token_type: [accessTokenType, accessTokenType] }) },
  { what: 'a short name for a type', error: 'invalid_request', over: () => ({ subject_token_type: 'access_token' }) },
  ...['refresh_token', 'id_token', 'saml1', 'saml2', 'device-secret'].map(name => ({
    what: `the subject token told to be ${name}`,
    error: 'invalid_request',
    over: () => ({ subject_token_type: type(name) }),
  })),
  {
    what: 'an opaque token told to be a JWT',
    error: 'invalid_request',
    over: ({ userinfo }) => ({ subject_token: userinfo, subject_token_type: type('jwt'), resource: undefined, scope: undefined }),
  },
  { what: 'an actor’s type without an actor', error: 'invalid_request', over: () => ({ actor_token_type: accessTokenType }) },
  { what: 'an actor without its type', error: 'invalid_request', over: ({ actor }) => ({ actor_token: actor }) },
  { what: 'an actor told to be an ID token', error: 'invalid_request', over: ({ actor }) => ({ actor_token: actor, actor_token_type: type('id_token') }) },
  { what: 'two actors', error: 'invalid_request', over: ({ actor }) => ({ actor_token: [actor, actor], actor_token_type: accessTokenType }) },
  ...['refresh_token', 'id_token', 'jwt', 'saml2'].map(name => ({
    what: `a request for ${name}`,
    error: 'invalid_request',
    over: () => ({ requested_token_type: type(name) }),
  })),
  { what: 'a request for what has no such type', error: 'invalid_request', over: () => ({ requested_token_type: 'access_token' }) },
  { what: 'a scope with a control character', error: 'invalid_scope', over: () => ({ scope: 'read\u0007' }) },
  // §2.2.2: tokens.
  { what: 'a token that is not one', error: 'invalid_request', over: () => ({ subject_token: 'no-such-token' }) },
  { what: 'a token with its last digits changed', error: 'invalid_request', over: ({ token }) => ({ subject_token: `${token.slice(0, -8)}AAAAAAAA` }) },
  { what: 'a token without its signature', error: 'invalid_request', over: ({ token }) => ({ subject_token: `${token.split('.').slice(0, 2).join('.')}.` }) },
  { what: 'a token with NUL in it', error: 'invalid_request', over: ({ token }) => ({ subject_token: `${token}\u0000` }) },
  { what: 'a token of a client whose tokens are not accepted', error: 'invalid_request', over: ({ strangers }) => ({ subject_token: strangers }) },
  { what: 'a client’s own token', error: 'invalid_request', over: ({ actor }) => ({ subject_token: actor }) },
  { what: 'an actor that is not one', error: 'invalid_request', over: () => ({ actor_token: 'no-such-token', actor_token_type: accessTokenType }) },
  {
    what: 'another client’s token as the actor',
    error: 'invalid_request',
    over: ({ strangersActor }) => ({ actor_token: strangersActor, actor_token_type: accessTokenType }),
  },
  {
    what: 'the front client’s person as the actor',
    error: 'invalid_request',
    over: ({ token }) => ({ actor_token: token, actor_token_type: accessTokenType }),
  },
  // RFC 6749 §5.2: clients.
  { what: 'a client without a policy', error: 'unauthorized_client', by: ({ bare }) => bare, over: () => ({}) },
  { what: 'a client that may do neither', error: 'unauthorized_client', by: ({ quiet }) => quiet, over: () => ({}) },
  { what: 'a client that may not name an actor', error: 'unauthorized_client', by: ({ quiet }) => quiet, over: acting },
  { what: 'a client that has to name an actor', error: 'unauthorized_client', by: ({ named }) => named, over: () => ({}) },
  {
    what: 'a public client that names an actor',
    error: 'unauthorized_client',
    by: ({ spa }) => spa,
    over: from => ({ ...acting(from), subject_token: from.spas }),
  },
  { what: 'a public client with another’s token', error: 'invalid_request', by: ({ spa }) => spa, over: () => ({}) },
  { what: 'a client that was not registered for the grant', error: 'unauthorized_client', by: ({ front }) => front, over: () => ({}) },
  // RFC 8693 §2.2.2: targets.
  { what: 'a resource that is not registered', error: 'invalid_target', over: () => ({ resource: 'https://unregistered.example/' }) },
  { what: 'a resource that is no address', error: 'invalid_target', over: () => ({ resource: 'orders' }) },
  { what: 'an audience that nobody has', error: 'invalid_target', over: () => ({ resource: undefined, audience: 'orders' }) },
  { what: 'two resources', error: 'invalid_target', over: ({ orders, stock }) => ({ resource: [orders, stock] }) },
  { what: 'two audiences', error: 'invalid_target', over: ({ orders, stock }) => ({ resource: undefined, audience: [orders, stock] }) },
  { what: 'a resource and another audience', error: 'invalid_target', over: ({ orders, stock }) => ({ resource: orders, audience: stock }) },
  { what: 'a resource that the policy does not list', error: 'invalid_target', over: ({ server }) => ({ resource: `${server.issuer}/api/v1` }) },
  { what: 'a client as the audience', error: 'invalid_target', over: ({ back }) => ({ resource: undefined, audience: back.clientId }) },
  { what: 'a resource with a fragment', error: 'invalid_target', over: ({ stock }) => ({ resource: `${stock}#x` }) },
  // §2.2.2, RFC 6749 §5.2: scopes.
  { what: 'a scope that the policy does not give', error: 'invalid_scope', over: () => ({ scope: 'write' }) },
  { what: 'a scope that the resource does not know', error: 'invalid_scope', over: () => ({ scope: 'gone' }) },
  { what: 'a scope among others that is too much', error: 'invalid_scope', over: () => ({ scope: 'read admin' }) },
  { what: 'a scope of another resource', error: 'invalid_scope', over: () => ({ scope: 'openid' }) },
  { what: 'more at the same resource than the token has', error: 'invalid_scope', over: ({ orders }) => ({ resource: orders, scope: 'read admin' }) },
  { what: 'more of one’s own token than it has', error: 'invalid_scope', over: ({ own }) => ({ subject_token: own, resource: undefined, scope: 'admin' }) },
  {
    what: 'more at userinfo than the token has',
    error: 'invalid_scope',
    over: ({ userinfo }) => ({ subject_token: userinfo, resource: undefined, scope: 'openid profile' }),
  },
  {
    what: 'access while the person is away',
    error: 'invalid_scope',
    over: ({ userinfo }) => ({ subject_token: userinfo, resource: undefined, scope: 'openid offline_access' }),
  },
  // Organizations.
  { what: 'an organization that is not there', error: 'invalid_request', over: () => ({ organization: randomUUID() }) },
  { what: 'an organization that is no identifier', error: 'invalid_request', over: () => ({ organization: "x' OR true --" }) },
  { what: 'two organizations', error: 'invalid_request', over: () => ({ organization: [randomUUID(), randomUUID()] }) },
]

test('the request that every row begins with is granted', async t => {
  t.is((await askExchange(ground.server, ground.back, granted(ground))).scope, 'read')
})
const granted = ({ token, stock }: Ground): Fields => ({ subject_token: token, subject_token_type: accessTokenType, resource: stock, scope: 'read' })

for (const { what, error, by, over } of rows)
  test(`${what}: ${error}`, async t => {
    const answer = await askExchange(ground.server, by?.(ground) ?? ground.back, { ...granted(ground), ...over(ground) })
    t.is(answer.error, error, answer.error_description)
    t.is(answer.status, 400)
    t.false('access_token' in answer)
  })

test('wrong secrets and clients that are not there are refused before any token is looked at', async t => {
  const { server, back } = ground
  for (const by of [
    { ...back, secret: 'not the secret of this client' },
    { ...back, clientId: 'no-such-client' },
  ])
    t.like(await askExchange(server, by, granted(ground)), { status: 401, error: 'invalid_client' })
})
