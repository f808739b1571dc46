// Signs what is sent (Standard Webhooks 1.0, symmetric): HMAC-SHA-256 over the id, the time and the body, by each secret that is in use.
import { createHmac } from 'node:crypto'
import { z } from 'zod'
import type { Secrets } from '../platform/secrets.ts'

/** What a secret begins with. */
const prefix = 'whsec_'
const secretBytes = 32

/** A secret, and until when it signs; the newest has no end. */
export interface SigningSecret {
  readonly secret: string
  /** ISO 8601. */
  readonly until?: string | undefined
}

const signingSecrets = z.array(z.object({ secret: z.string(), until: z.string().optional() }))
/** Ties the sealed secrets to their webhook. */
export const sealContext = (id: string): string => `webhook:${id}`

/** Seals the secrets of a webhook under its id. */
export const sealSecrets = (secrets: Secrets, { id, all }: { id: string; all: readonly SigningSecret[] }): string =>
  secrets.seal('webhook', JSON.stringify(all), sealContext(id))

/** The secrets of a webhook, the newest first. Throws where they were sealed elsewhere. */
export const unsealSecrets = (secrets: Secrets, { id, sealed }: { id: string; sealed: string }): readonly SigningSecret[] =>
  read(secrets.unseal('webhook', sealed, sealContext(id)))

/** As {@link unsealSecrets}; none where they were sealed under a key that is not known any more: nobody can sign by them. */
export const findSecrets = (secrets: Secrets, { id, sealed }: { id: string; sealed: string }): readonly SigningSecret[] => {
  const opened = secrets.findUnsealed('webhook', sealed, sealContext(id))
  return opened === undefined ? [] : read(opened)
}

const read = (opened: string): readonly SigningSecret[] => signingSecrets.parse(JSON.parse(opened))

/** Makes a secret: `whsec_` and 32 random bytes in base64. */
export const newSecret = (randomBytes: (size: number) => Buffer): string => `${prefix}${randomBytes(secretBytes).toString('base64')}`

/** Those that sign at a moment. */
export const inUse = (secrets: readonly SigningSecret[], now: Date): readonly SigningSecret[] =>
  secrets.filter(({ until }) => until === undefined || new Date(until) > now)

/** What is signed. */
export interface Message {
  readonly id: string
  /** In seconds. */
  readonly timestamp: number
  readonly body: string
}

/** The header `webhook-signature`: a signature for each secret, parted by spaces. */
export const signaturesOf = (secrets: readonly SigningSecret[], { id, timestamp, body }: Message): string =>
  secrets
    .map(({ secret }) =>
      createHmac('sha256', Buffer.from(secret.slice(prefix.length), 'base64'))
        .update(`${id}.${timestamp}.${body}`)
        .digest('base64'),
    )
    .map(signature => `v1,${signature}`)
    .join(' ')
