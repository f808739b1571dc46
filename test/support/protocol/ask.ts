// A request as the table bends it: its parts by name, and its JWTs before they are signed.
import { randomUUID } from 'node:crypto'
import { type CryptoKey, SignJWT } from 'jose'
import type { Answer, Person } from '../person.ts'

/** A JWT that is still to be signed; without a key it is unsecured. */
export interface Unsigned {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
  readonly key?: CryptoKey | Uint8Array
}

/** A request. */
export interface Ask {
  readonly method: string
  readonly url: string
  /** The query of a GET, the body of a POST. */
  readonly form: Readonly<Record<string, string | readonly string[]>>
  readonly query?: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  /** Sent instead of the form. */
  readonly body?: string
  readonly basic?: { readonly id: string; readonly secret: string }
  readonly requestObject?: Unsigned
  readonly assertion?: Unsigned
  readonly proof?: Unsigned
  /** Whose browser it is; absent: no browser. */
  readonly person?: Person
}

type Bent<Part> = { readonly [Key in keyof Part]?: Part[Key] extends object | undefined ? Bent<Part[Key]> | Part[Key] | undefined : Part[Key] | undefined }

/** What is bent: parts that are other, and parts that are left out, as `undefined`. */
export type Bend = Bent<Ask>

/** The request with its faults. */
export const bent = (ask: Ask, bend: Bend): Ask => merged(ask, bend) as Ask

const merged = (base: unknown, change: unknown): unknown => {
  if (!isPlain(change)) return change
  const result: Record<string, unknown> = isPlain(base) ? { ...base } : {}
  for (const [name, value] of Object.entries(change))
    if (value === undefined) delete result[name]
    else result[name] = merged(result[name], value)
  return result
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

/** Signs what is to be signed, and sends it. */
export const send = async (ask: Ask): Promise<Answer> => {
  const form: Record<string, string | readonly string[]> = { ...ask.form }
  if (ask.requestObject) form.request = await signed(ask.requestObject)
  if (ask.assertion) form.client_assertion = await signed(ask.assertion)
  const headers: Record<string, string> = { ...ask.headers }
  if (ask.basic) headers.authorization = `Basic ${btoa(`${encodeURIComponent(ask.basic.id)}:${encodeURIComponent(ask.basic.secret)}`)}`
  if (ask.proof) headers.dpop = await signed(ask.proof)
  const url = new URL(ask.url)
  for (const [name, value] of Object.entries(ask.query ?? {})) url.searchParams.append(name, value)
  if (ask.method === 'GET') for (const [name, value] of pairs(form)) url.searchParams.append(name, value)
  const isSent = ask.method === 'POST'
  const init = {
    method: ask.method,
    headers: { ...(isSent ? { 'content-type': 'application/x-www-form-urlencoded' } : {}), ...headers },
    ...(isSent ? { body: ask.body ?? new URLSearchParams(pairs(form)).toString() } : {}),
  }
  return ask.person ? ask.person.send(url, init) : plainly(url, init)
}

const plainly = async (url: URL, init: RequestInit): Promise<Answer> => {
  const response = await fetch(url, { ...init, redirect: 'manual' })
  return { url, status: response.status, headers: response.headers, location: undefined, body: await response.text() }
}

const pairs = (form: Ask['form']): [string, string][] =>
  Object.entries(form).flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, one]))

/** A signed JWT, with an identifier and a time of its own unless it says others. */
export const signed = async ({ header, claims, key }: Unsigned): Promise<string> => {
  const now = Math.floor(Date.now() / 1000)
  const told = withoutNone({ jti: randomUUID(), iat: now, ...claims })
  if (key === undefined) return `${encoded({ ...header, alg: 'none' })}.${encoded(told)}.`
  return new SignJWT(told).setProtectedHeader({ alg: 'ES256', ...header }).sign(key)
}

/** Says that a claim is to be left out which a JWT gets otherwise. */
export const none = Symbol('none')
const withoutNone = (claims: Record<string, unknown>) => Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== none))
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
