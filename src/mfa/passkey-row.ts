// Turns rows of authenticators into passkeys and into the credentials they are verified by.
import { z } from 'zod'
import type { AuthenticationMethodReference } from '../authentication/authentication.ts'
import type { Passkey } from './passkey.ts'
import type { Credential, CredentialDetails } from './passkey-ceremonies.ts'

interface Row {
  readonly id: string
  readonly userId: string
  readonly name: string
  readonly secret: string
  readonly credentialId: Uint8Array | null
  readonly counter: bigint
  readonly details: unknown
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly lastUsedAt: Date | null
}

const detailsSchema = z.object({ aaguid: z.string(), transports: z.array(z.string()), isBackupEligible: z.boolean(), isBackedUp: z.boolean() })

/** As its owner may see it. */
export const toPasskey = (row: Row): Passkey => {
  const { aaguid, isBackupEligible } = toDetails(row)
  const { id, userId, name, createdAt, updatedAt, lastUsedAt } = row
  return { id, userId, name, aaguid, isSynced: isBackupEligible, createdAt, updatedAt, lastUsedAt: lastUsedAt ?? undefined }
}

/** As the ceremonies need it. */
export const toCredential = (row: Row): Credential => ({
  id: Buffer.from(row.credentialId ?? []).toString('base64url'),
  publicKey: row.secret,
  counter: Number(row.counter),
  details: toDetails(row),
})

/** As browsers are told which ones are meant. */
export const toDescriptor = (row: Row) => {
  const { id, details } = toCredential(row)
  return { id, transports: details.transports }
}

/** RFC 8176 §2: `hwk` for a key that cannot leave its device and `swk` for one that is synced, as the authenticator says; `user` for the touch. */
export const referencesOfKey = ({ isSynced }: Pick<Passkey, 'isSynced'>): AuthenticationMethodReference[] => [isSynced ? 'swk' : 'hwk', 'user']

/** The same, of one as it is stored. */
export const referencesOfRow = (row: Pick<Row, 'details'>): AuthenticationMethodReference[] => referencesOfKey({ isSynced: toDetails(row).isBackupEligible })

const toDetails = ({ details }: Pick<Row, 'details'>): CredentialDetails => detailsSchema.parse(details)
