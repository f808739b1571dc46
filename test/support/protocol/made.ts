// What the rows of a file share: a server, its clients, keys, and a person who is signed in.
import { type CryptoKey, calculateJwkThumbprint, createLocalJWKSet, exportJWK, generateKeyPair, type JSONWebKeySet, type JWK } from 'jose'
import type { NewClient } from '../../../src/clients/client.ts'
import { systemActor } from '../../../src/platform/actor.ts'
import { plant } from '../canaries.ts'
import { makeClient } from '../clients.ts'
import { createPerson, type Person } from '../person.ts'
import { alice, redirectUri } from '../relying-party.ts'
import { startServer, type TestServer } from '../server.ts'

const code = ['authorization_code', 'refresh_token']
const own = { redirectUris: [redirectUri, `${redirectUri}?kept=1`], grantTypes: code }
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

/** The clients of the table, by what is particular about each. */
export const clientSettings = (jwks: { keys: JWK[] }) =>
  ({
    portal: { ...own, grantTypes: [...code, 'client_credentials'] },
    stranger: { ...own, grantTypes: [...code, 'client_credentials'] },
    /** Needs no code challenge. */
    lax: { ...own, isPkceRequired: false },
    spa: { ...own, authenticationMethod: 'none' },
    thirdParty: { ...own, isFirstParty: false },
    post: { ...own, grantTypes: ['client_credentials'], redirectUris: [], authenticationMethod: 'client_secret_post' },
    service: { grantTypes: ['client_credentials'], redirectUris: [] },
    keyed: { grantTypes: ['client_credentials'], redirectUris: [], authenticationMethod: 'private_key_jwt', metadata: { jwks } },
    hmac: { grantTypes: ['client_credentials'], redirectUris: [], authenticationMethod: 'client_secret_jwt' },
    codeless: { grantTypes: [deviceGrant], redirectUris: [], authenticationMethod: 'none' },
    refreshless: { ...own, grantTypes: ['authorization_code'] },
    /** Must push its requests. */
    pushing: { ...own, metadata: { require_pushed_authorization_requests: true } },
    /** May sign its requests. */
    signing: { ...own, metadata: { jwks } },
    /** Must sign its requests, with this algorithm. */
    signed: { ...own, metadata: { jwks, require_signed_request_object: true, request_object_signing_alg: 'ES256' } },
    /** Must bind its tokens to a key. */
    bound: { ...own, grantTypes: [...code, 'client_credentials'], metadata: { dpop_bound_access_tokens: true } },
    jarm: { ...own, metadata: { authorization_signed_response_alg: 'ES256' } },
    elliptic: { ...own, metadata: { id_token_signed_response_alg: 'ES256', userinfo_signed_response_alg: 'ES256' } },
    /** Asks how and when its people signed in with each request. */
    dated: { ...own, metadata: { default_acr_values: ['urn:authy2:acr:1'], default_max_age: 3600, require_auth_time: true } },
    timed: { ...own, metadata: { require_auth_time: true } },
    device: { grantTypes: [deviceGrant, 'refresh_token'], redirectUris: [], authenticationMethod: 'none' },
    otherDevice: { grantTypes: [deviceGrant], redirectUris: [], authenticationMethod: 'none' },
  }) as const satisfies Record<string, Partial<NewClient>>

export type ClientName = keyof ReturnType<typeof clientSettings>

/** A key, and what is told of it. */
export interface Key {
  readonly key: CryptoKey
  readonly jwk: JWK
  readonly thumbprint: string
}

/** What is there. */
export interface Made {
  readonly server: TestServer
  readonly issuer: string
  readonly clients: Readonly<Record<ClientName, { readonly clientId: string; readonly secret: string }>>
  /** `own` is registered for the clients that sign; `other` is nobody's. */
  readonly keys: Readonly<Record<'own' | 'other', Key>>
  /** The server's keys. */
  readonly jwks: ReturnType<typeof createLocalJWKSet>
  /** Signed in, and a browser where nobody is. */
  readonly person: Person
  readonly nobody: () => Person
  /** The person's identifier. */
  readonly sub: string
  /** An ID token of the person. */
  readonly idToken: string
}

/** Makes it. */
export const make = async (): Promise<Made> => {
  const server = await startServer()
  const [ownKey, other] = await Promise.all([makeKey(), makeKey()])
  const clients = await makeClients(server, clientSettings({ keys: [{ ...ownKey.jwk, use: 'sig', alg: 'ES256' }] }))
  const { person, tokens } = await (await makeClient(server)).signIn({ who: alice })
  const jwks = (await (await fetch(`${server.issuer}/oauth2/jwks`)).json()) as JSONWebKeySet
  return {
    server,
    issuer: server.issuer,
    clients,
    keys: { own: ownKey, other },
    jwks: createLocalJWKSet(jwks),
    person,
    nobody: () => createPerson(),
    sub: tokens.claims()?.sub ?? '',
    idToken: tokens.id_token ?? '',
  }
}

const makeKey = async (): Promise<Key> => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = await exportJWK(publicKey)
  return { key: privateKey, jwk, thumbprint: await calculateJwkThumbprint(jwk) }
}

const makeClients = async ({ services }: TestServer, settings: Record<ClientName, Partial<NewClient>>): Promise<Made['clients']> => {
  const made = Object.entries(settings).map(async ([name, given]) => {
    const { secret = '' } = await services.clients.create(systemActor, {
      clientId: name,
      name,
      isFirstParty: true,
      authenticationMethod: 'client_secret_basic',
      grantTypes: code,
      ...given,
    })
    return [name, { clientId: name, secret: secret && plant(secret) }] as const
  })
  return Object.fromEntries(await Promise.all(made)) as Made['clients']
}
