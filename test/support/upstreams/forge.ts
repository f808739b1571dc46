// What an upstream says of a person, bent as a test wishes: claims over its own, signed by whatever means.
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { importJWK, SignJWT } from 'jose'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { plantTokens } from '../canaries.ts'
import type { UpstreamPerson } from './upstream.ts'

/** How an answer is bent. */
export interface Forging {
  /** Over the claims of the ID token; `undefined` leaves one out. */
  readonly idToken?: Readonly<Record<string, unknown>>
  /** Over those of userinfo; `undefined` leaves one out. */
  readonly userinfo?: Readonly<Record<string, unknown>>
  /** How the ID token is signed; well, unless said otherwise. */
  readonly signed?: 'well' | 'not at all' | 'alg none' | 'with the secret' | 'with the public key' | 'with another key' | 'with a key of its own header'
  /** Over the answer of the token endpoint; `undefined` leaves a member out. */
  readonly tokens?: Readonly<Record<string, unknown>>
}

type Jwk = Record<string, unknown> & { kid: string; alg: string }

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (text = ''): Record<string, unknown> => JSON.parse(Buffer.from(text, 'base64url').toString())

/** Bends the answer of the token endpoint. */
export const forgeIdToken = async (
  ctx: KoaContextWithOIDC,
  told: (accountId: string) => UpstreamPerson,
  keys: readonly object[],
  secrets: { readonly first: string },
): Promise<void> => {
  const answer = ctx.body as Record<string, unknown>
  if (typeof answer.id_token !== 'string') return
  const issued = decode(answer.id_token.split('.')[1])
  const person = told(String(issued.sub))
  const claims = { ...issued, ...person.claims, sub: person.sub, ...person.idToken }
  const idToken = await signed(claims, person.signed ?? 'well', keys[0] as Jwk, secrets.first)
  plantTokens({ ...answer, id_token: idToken })
  ctx.body = { ...answer, id_token: idToken, ...person.tokens }
}

/** Bends the answer of userinfo. */
export const forgeUserinfo = (ctx: KoaContextWithOIDC, told: (accountId: string) => UpstreamPerson): void => {
  const issued = ctx.body as Record<string, unknown>
  const person = told(String(issued.sub))
  ctx.body = { ...issued, ...person.claims, sub: person.sub, ...person.userinfo }
}

const signed = async (claims: object, how: NonNullable<Forging['signed']>, jwk: Jwk, secret: string): Promise<string> => {
  const { n, e, kty } = jwk
  const text = (header: object) => `${encode({ typ: 'JWT', kid: jwk.kid, ...header })}.${encode(claims)}`
  const rsa = (header: object, by: KeyObject) => `${text(header)}.${sign('sha256', Buffer.from(text(header)), by).toString('base64url')}`
  const hmac = (by: string) =>
    `${text({ alg: 'HS256' })}.${createHmac('sha256', by)
      .update(text({ alg: 'HS256' }))
      .digest('base64url')}`
  const another = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
  switch (how) {
    case 'well':
      return new SignJWT({ ...claims }).setProtectedHeader({ alg: jwk.alg, kid: jwk.kid }).sign(await importJWK(jwk))
    case 'not at all':
      return `${text({ alg: 'RS256' })}.`
    case 'alg none':
      return `${text({ alg: 'none' })}.`
    case 'with the secret':
      return hmac(secret)
    case 'with the public key':
      return hmac(JSON.stringify({ e, kty, n }))
    case 'with another key':
      return rsa({ alg: 'RS256' }, another().privateKey)
    case 'with a key of its own header': {
      const own = another()
      return rsa({ alg: 'RS256', kid: 'own', jwk: own.publicKey.export({ format: 'jwk' }) }, own.privateKey)
    }
  }
}
