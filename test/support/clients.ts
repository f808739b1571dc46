// Clients of a test's own, each driven by the relying-party library.
import { randomUUID } from 'node:crypto'
import * as client from 'openid-client'
import type { NewClient } from '../../src/clients/client.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { plant } from './canaries.ts'
import { createRelyingParty, redirectUri } from './relying-party.ts'
import type { TestServer } from './server.ts'

/** A client that was made for a test. */
export type TestClient = Awaited<ReturnType<typeof makeClient>>

/** Makes a confidential first-party client, unless told otherwise, and its relying party. */
export async function makeClient(server: TestServer, { auth, ...given }: Partial<NewClient> & { auth?: client.ClientAuth } = {}) {
  const clientId = given.clientId ?? `client-${randomUUID()}`
  const made = {
    clientId,
    name: 'A test client',
    isFirstParty: true,
    authenticationMethod: 'client_secret_basic',
    grantTypes: ['authorization_code', 'refresh_token'],
    redirectUris: given.grantTypes?.includes('authorization_code') === false ? [] : [redirectUri],
    ...given,
  } as const
  const { secret = '' } = await server.services.clients.create(systemActor, made)
  if (secret) plant(secret)
  const relyingParty = await createRelyingParty(server.issuer, {
    clientId,
    secret,
    redirectUri: made.redirectUris[0],
    metadata: made.metadata as Partial<client.ClientMetadata>,
    auth: auth ?? authFor(made.authenticationMethod, secret),
  })
  return { ...relyingParty, clientId, secret }
}

/** The protocol's code of a refusal, wherever it stands. Throws when nothing was refused. */
export async function refusal(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work
  } catch (error) {
    if (error instanceof client.ResponseBodyError || error instanceof client.AuthorizationResponseError) return error.error
    if (error instanceof client.WWWAuthenticateChallengeError) return error.cause[0]?.parameters.error
    throw error
  }
  throw new Error('it was not refused')
}

function authFor(method: string, secret: string): client.ClientAuth {
  if (method === 'none') return client.None()
  if (method === 'client_secret_post') return client.ClientSecretPost(secret)
  return method === 'client_secret_jwt' ? client.ClientSecretJwt(secret) : client.ClientSecretBasic(secret)
}
