// A checkpoint: a signed statement of where a chain was, which holds also when it is kept elsewhere.
//
// It is a JWS under an Ed25519 key that is derived from SECRET_KEY, with the public key in its header: an outsider checks it with any
// library and needs to know only that the key is ours. `place` is the chain's MAC, sealed: the next checkpoint goes on from there without a replay from the
// beginning, and who reads it learns nothing. It stands in the payload so that the signature covers it.
import { createPrivateKey, createPublicKey, hash } from 'node:crypto'
import { errors, exportJWK, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import type { Secrets } from '../platform/secrets.ts'

/** What a checkpoint says. Hashes are in hex. */
const checkpointClaims = z.object({
  jti: z.uuid(),
  organization_id: z.uuid().nullable(),
  number: z.int().positive(),
  seq: z.int().positive(),
  hash: z.string(),
  time: z.iso.datetime(),
  /** The SHA-256 of the checkpoint before, null for the first. */
  previous: z.string().nullable(),
  place: z.string(),
})

/** What a checkpoint says. */
export type CheckpointClaims = z.output<typeof checkpointClaims>

/** Signs checkpoints and knows its own. */
export interface CheckpointSigner {
  sign(claims: CheckpointClaims): Promise<string>
  /** What it says, or `undefined` when this server did not sign it. */
  open(jws: string): Promise<CheckpointClaims | undefined>
  /** Tells which checkpoint is a chain's newest, so that a newer one cannot vanish. */
  macOf(chain: string, newest: { number: number; jws: string }): Buffer
  /** Seals a chain's MAC for its next checkpoint. */
  seal(chain: string, place: { seq: number; mac: Buffer }): string
  /** Opens it. Throws when it is of another place. */
  unseal(chain: string, place: { seq: number; sealed: string }): Buffer
}

const type = 'audit-checkpoint+jwt'
const algorithm = 'EdDSA'
// RFC 8410 §7: an Ed25519 private key is this and 32 bytes.
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Makes it. */
export const createCheckpointSigner = (secrets: Secrets): CheckpointSigner => {
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8, secrets.derive('audit-checkpoint')]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey)
  const jwk = exportJWK(publicKey)
  const contextOf = (chain: string, seq: number) => `${chain}\0${seq}`
  return {
    sign: async claims => new SignJWT({ ...claims }).setProtectedHeader({ alg: algorithm, typ: type, jwk: await jwk }).sign(privateKey),
    open: async jws => {
      try {
        const { payload } = await jwtVerify(jws, publicKey, { typ: type, algorithms: [algorithm] })
        return checkpointClaims.safeParse(payload).data
      } catch (error) {
        if (error instanceof errors.JOSEError) return undefined
        throw error
      }
    },
    macOf: (chain, { number, jws }) => secrets.digest('audit-checkpoint-mac', `${chain}\0${number}\0${jws}`),
    seal: (chain, { seq, mac }) => secrets.seal('audit-checkpoint-place', mac.toString('base64url'), contextOf(chain, seq)),
    unseal: (chain, { seq, sealed }) => Buffer.from(secrets.unseal('audit-checkpoint-place', sealed, contextOf(chain, seq)), 'base64url'),
  }
}

/** The hash by which the next checkpoint names this one, in hex. */
export const checkpointHash = (jws: string): string => hash('sha256', jws, 'hex')
