// Requests to sign out in every variant of RP-Initiated Logout 1.0, and what is to come of each.
import { generateKeyPairSync } from 'node:crypto'
import { decodeJwt, importJWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { makeClient } from './clients.ts'
import type { TestServer } from './server.ts'
import { makeUser } from './users.ts'

export const home = 'http://localhost:4000/signed-out'
export const longState = 'ä/+?&=% '.repeat(20)

/** A person signed in at a client, with what a request may say of them. */
export const makeSignedIn = async (server: TestServer, metadata: Record<string, unknown> = {}) => {
  const client = await makeClient(server, { postLogoutRedirectUris: [home], metadata })
  const who = await makeUser(server)
  const { person, tokens } = await client.signIn({ who })
  return { server, client, who, person, hint: tokens.id_token ?? '' }
}
export type SignedIn = Awaited<ReturnType<typeof makeSignedIn>>

/** The claims of an ID token, changed and signed again, by a key of the server unless told otherwise. */
const signedAgain = async ({ server, hint }: SignedIn, changes: JWTPayload, key?: Parameters<SignJWT['sign']>[0]) => {
  const own = (await server.services.signingKeys.list()).find(({ alg }) => alg === 'RS256')
  const signing = key ?? (await importJWK(own as never, 'RS256'))
  return new SignJWT({ ...decodeJwt(hint), ...changes }).setProtectedHeader({ alg: 'RS256', kid: String(own?.kid) }).sign(signing)
}
const foreignKey = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
/** A variant of the request, and what is to come of it. */
export interface Row {
  readonly section: string
  readonly what: string
  readonly metadata?: Record<string, unknown>
  readonly request: (signed: SignedIn) => Record<string, string> | Promise<Record<string, string>>
  /** `unasked`: the page submits itself. `asked`: the person decides. `refused`: an error, and they stay signed in. */
  readonly outcome: 'unasked' | 'asked' | 'refused'
  /** Where they are in the end, where that is not the signed-out page. */
  readonly back?: string
}

export const withHint = ({ hint }: SignedIn) => ({ id_token_hint: hint })
export const toHome = { post_logout_redirect_uri: home }
const sidRequired = { backchannel_logout_uri: 'https://client.example/backchannel', backchannel_logout_session_required: true }

/** The variants. */
export const rows: readonly Row[] = [
  {
    section: '§2',
    what: 'a hint, a registered address and a state',
    request: signed => ({ ...withHint(signed), ...toHome, state: 'kept' }),
    outcome: 'unasked',
    back: `${home}?state=kept`,
  },
  {
    section: '§3',
    what: 'a long state with all kinds of characters',
    request: signed => ({ ...withHint(signed), ...toHome, state: longState }),
    outcome: 'unasked',
    back: `${home}?${new URLSearchParams({ state: longState })}`,
  },
  { section: '§3', what: 'an address without a state', request: signed => ({ ...withHint(signed), ...toHome }), outcome: 'unasked', back: home },
  { section: '§2', what: 'a hint alone', request: withHint, outcome: 'unasked' },
  {
    section: '§2',
    what: 'a hint and its own client_id',
    request: signed => ({ ...withHint(signed), ...toHome, client_id: signed.client.clientId }),
    outcome: 'unasked',
    back: home,
  },
  {
    section: '§2',
    what: 'a hint and the client_id of another',
    request: async signed => ({ ...withHint(signed), ...toHome, client_id: (await makeClient(signed.server)).clientId }),
    outcome: 'refused',
  },
  {
    section: '§2',
    what: 'a hint that expired',
    request: async signed => ({ ...toHome, id_token_hint: await signedAgain(signed, { iat: 1_700_000_000, exp: 1_700_003_600 }) }),
    outcome: 'unasked',
    back: home,
  },
  {
    section: '§2',
    what: 'a hint of another person',
    request: async ({ server, client }) => ({ ...toHome, id_token_hint: (await client.signIn({ who: await makeUser(server) })).tokens.id_token ?? '' }),
    outcome: 'asked',
    back: home,
  },
  {
    section: '§2',
    what: 'a hint of the same person in another browser, by its sid',
    metadata: sidRequired,
    request: async ({ client, who }) => ({ ...toHome, id_token_hint: (await client.signIn({ who })).tokens.id_token ?? '' }),
    outcome: 'asked',
    back: home,
  },
  {
    section: '§2',
    what: 'a hint of this browser, by its sid',
    metadata: sidRequired,
    request: signed => ({ ...withHint(signed), ...toHome }),
    outcome: 'unasked',
    back: home,
  },
  {
    section: '§2',
    what: 'a hint of a client that nobody is signed in at here',
    request: async ({ server, who }) => ({ id_token_hint: (await (await makeClient(server)).signIn({ who })).tokens.id_token ?? '' }),
    outcome: 'asked',
  },
  {
    section: '§2',
    what: 'a hint with a pairwise subject, which is nobody’s id',
    metadata: { subject_type: 'pairwise' },
    request: signed => ({ ...withHint(signed), ...toHome }),
    outcome: 'asked',
    back: home,
  },
  {
    section: '§2',
    what: 'a hint with a pairwise subject and the sid of this browser',
    metadata: { ...sidRequired, subject_type: 'pairwise' },
    request: signed => ({ ...withHint(signed), ...toHome }),
    outcome: 'unasked',
    back: home,
  },
  {
    section: '§2',
    what: 'a hint that somebody else signed',
    request: async signed => ({ ...toHome, id_token_hint: await signedAgain(signed, {}, foreignKey()) }),
    outcome: 'refused',
  },
  {
    section: '§2',
    what: 'a hint that is not signed',
    request: ({ hint }) => ({ ...toHome, id_token_hint: new UnsecuredJWT(decodeJwt(hint)).encode() }),
    outcome: 'refused',
  },
  {
    section: '§2',
    what: 'a hint of another issuer',
    request: async signed => ({ ...toHome, id_token_hint: await signedAgain(signed, { iss: 'https://elsewhere.example' }) }),
    outcome: 'refused',
  },
  {
    section: '§2',
    what: 'a hint for a client that is not there',
    request: async signed => ({ id_token_hint: await signedAgain(signed, { aud: 'nobody' }) }),
    outcome: 'refused',
  },
  {
    section: '§2',
    what: 'a hint without a subject',
    request: async signed => ({ ...toHome, id_token_hint: await signedAgain(signed, { sub: undefined }) }),
    outcome: 'refused',
  },
  { section: '§2', what: 'a hint that is no token', request: () => ({ id_token_hint: 'no.id.token' }), outcome: 'refused' },
  {
    section: '§2',
    what: 'an access token for a hint',
    request: async ({ client, who }) => ({ id_token_hint: (await client.signIn({ who })).tokens.access_token }),
    outcome: 'refused',
  },
  {
    section: '§2, §4',
    what: 'client_id and its registered address, without a hint',
    request: ({ client }) => ({ ...toHome, client_id: client.clientId, state: 'kept' }),
    outcome: 'asked',
    back: `${home}?state=kept`,
  },
  { section: '§2', what: 'client_id alone', request: ({ client }) => ({ client_id: client.clientId }), outcome: 'asked' },
  { section: '§2', what: 'client_id of nobody', request: () => ({ client_id: 'nobody' }), outcome: 'refused' },
  { section: '§3', what: 'an address, without a word of whose it is', request: () => ({ ...toHome, state: 'kept' }), outcome: 'asked' },
  {
    section: '§3',
    what: 'an address that is not registered',
    request: signed => ({ ...withHint(signed), post_logout_redirect_uri: 'https://elsewhere.example/' }),
    outcome: 'refused',
  },
  {
    section: '§3',
    what: 'a registered address with a query added',
    request: signed => ({ ...withHint(signed), post_logout_redirect_uri: `${home}?more=1` }),
    outcome: 'refused',
  },
  {
    section: '§3',
    what: 'a registered address with a slash added',
    request: signed => ({ ...withHint(signed), post_logout_redirect_uri: `${home}/` }),
    outcome: 'refused',
  },
  {
    section: '§3',
    what: 'the redirect URI of a sign-in, which is no address for signing out',
    request: signed => ({ ...withHint(signed), post_logout_redirect_uri: 'http://localhost:4000/callback' }),
    outcome: 'refused',
  },
  { section: '§3', what: 'an empty address', request: signed => ({ ...withHint(signed), post_logout_redirect_uri: '' }), outcome: 'unasked' },
  { section: '§2', what: 'nothing at all', request: () => ({}), outcome: 'asked' },
  { section: '§2', what: 'a state alone', request: () => ({ state: longState }), outcome: 'asked' },
  {
    section: '§2',
    what: 'a logout_hint, which proves nothing',
    request: ({ who, client }) => ({ client_id: client.clientId, logout_hint: who.email }),
    outcome: 'asked',
  },
  {
    section: '§2',
    what: 'a parameter that nobody knows',
    request: signed => ({ ...withHint(signed), ...toHome, extra: 'foobar' }),
    outcome: 'unasked',
    back: home,
  },
  { section: '§2', what: 'a language that we do not speak', request: signed => ({ ...withHint(signed), ui_locales: 'se' }), outcome: 'unasked' },
]
