// An authenticator in software, with its browser: makes and uses passkeys as WebAuthn says, and in whatever wrong way a test asks for.
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isoCBOR } from '@simplewebauthn/server/helpers'
import type { AssertionJson, CreationOptions, RegistrationJson, RequestOptions } from '../../src/mfa/passkey.ts'

/** What is done otherwise than it should be. */
export interface Twist {
  readonly origin?: string
  readonly rpId?: string
  readonly challenge?: string
  readonly type?: string
  /** More members of the client data. */
  readonly clientData?: Readonly<Record<string, unknown>>
  /** The client data as it is, whatever it is. */
  readonly rawClientData?: Buffer
  readonly flags?: { readonly up?: boolean; readonly uv?: boolean; readonly be?: boolean; readonly bs?: boolean }
  readonly counter?: number
  /** The COSE algorithm of a new key. */
  readonly algorithm?: number
  readonly attestation?: { readonly fmt: string; readonly attStmt: Map<string, unknown> }
  /** Bytes after the authenticator data. */
  readonly trailing?: Buffer
  readonly credentialId?: string
  /** `null`: none is sent. */
  readonly userHandle?: string | null
  /** Signs in place of the credential's own key. */
  readonly key?: KeyObject
}

/** A passkey as the authenticator keeps it. */
export interface SoftPasskey {
  readonly id: string
  readonly userHandle: string
  readonly privateKey: KeyObject
  readonly algorithm: number
  counter: number
}

/** An authenticator with its browser at an origin. */
export type SoftAuthenticator = ReturnType<typeof createAuthenticator>

/** Makes one; `isSynced` says that its passkeys leave it, and then they do not count. */
export function createAuthenticator(origin: string, { isSynced = false } = {}) {
  const passkeys: SoftPasskey[] = []
  const step = isSynced ? 0 : 1
  const flagsOf = ({ flags = {} }: Twist) => ({ up: true, uv: true, be: isSynced, bs: isSynced, ...flags })

  const create = (options: CreationOptions, twist: Twist = {}): RegistrationJson => {
    const algorithm = twist.algorithm ?? -7
    const { privateKey, cose } = makeKey(algorithm)
    const id = twist.credentialId ?? randomBytes(32).toString('base64url')
    const counter = twist.counter ?? step
    const clientDataJSON = clientDataOf('webauthn.create', { origin, challenge: options.challenge }, twist)
    const credentialId = Buffer.from(id, 'base64url')
    const attested = Buffer.concat([Buffer.alloc(16), uint(credentialId.length, 2), credentialId, Buffer.from(isoCBOR.encode(cose as never))])
    const authData = authDataOf({ rpId: twist.rpId ?? options.rp.id, flags: flagsOf(twist), counter, attested, trailing: twist.trailing })
    const { fmt, attStmt } = twist.attestation ?? { fmt: 'none', attStmt: new Map() }
    const attestationObject = isoCBOR.encode(
      new Map<string, unknown>([
        ['fmt', fmt],
        ['attStmt', attStmt],
        ['authData', new Uint8Array(authData)],
      ]) as never,
    )
    passkeys.push({ id, userHandle: options.user.id, privateKey, algorithm, counter })
    return {
      id,
      rawId: id,
      type: 'public-key',
      response: {
        clientDataJSON: clientDataJSON.toString('base64url'),
        attestationObject: Buffer.from(attestationObject).toString('base64url'),
        transports: ['internal'],
      },
    }
  }

  const get = (options: RequestOptions, twist: Twist = {}): AssertionJson => {
    const passkey = passkeys.at(-1)
    if (!passkey) throw new Error('this authenticator keeps no passkey')
    passkey.counter += step
    const clientDataJSON = clientDataOf('webauthn.get', { origin, challenge: options.challenge }, twist)
    const { counter = passkey.counter, trailing, rpId = options.rpId } = twist
    const authData = authDataOf({ rpId, flags: flagsOf(twist), counter, trailing })
    const id = twist.credentialId ?? passkey.id
    const userHandle = twist.userHandle === null ? undefined : (twist.userHandle ?? passkey.userHandle)
    const signature = signed(passkey.algorithm, twist.key ?? passkey.privateKey, Buffer.concat([authData, sha256(clientDataJSON)]))
    return {
      id,
      rawId: id,
      type: 'public-key',
      response: {
        clientDataJSON: clientDataJSON.toString('base64url'),
        authenticatorData: authData.toString('base64url'),
        signature: signature.toString('base64url'),
        userHandle,
      },
    }
  }

  return { create, get, passkeys }
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest()

const uint = (value: number, bytes: number) => {
  const buffer = Buffer.alloc(bytes)
  buffer.writeUIntBE(value, 0, bytes)
  return buffer
}

function clientDataOf(type: string, own: { origin: string; challenge: string }, twist: Twist): Buffer {
  const { origin = own.origin, challenge = own.challenge, clientData = {} } = twist
  return twist.rawClientData ?? Buffer.from(JSON.stringify({ type: twist.type ?? type, challenge, origin, crossOrigin: false, ...clientData }))
}

interface AuthData {
  readonly rpId: string
  readonly flags: { readonly up: boolean; readonly uv: boolean; readonly be: boolean; readonly bs: boolean }
  readonly counter: number
  readonly attested?: Buffer
  readonly trailing?: Buffer
}

/** WebAuthn Level 3 §6.1. */
function authDataOf({ rpId, flags, counter, attested, trailing = Buffer.alloc(0) }: AuthData): Buffer {
  const bits = [flags.up && 1, flags.uv && 4, flags.be && 8, flags.bs && 16, attested && 64].reduce<number>((sum, bit) => sum + Number(bit || 0), 0)
  return Buffer.concat([sha256(rpId), Buffer.from([bits]), uint(counter, 4), attested ?? Buffer.alloc(0), trailing])
}

/** A key pair, and its public half as COSE (RFC 9053). */
function makeKey(algorithm: number): { privateKey: KeyObject; cose: Map<number, number | Uint8Array> } {
  if (algorithm === -8) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const { x = '' } = publicKey.export({ format: 'jwk' })
    return { privateKey, cose: coseOf([1, 1], [3, algorithm], [-1, 6], [-2, x]) }
  }
  if (algorithm === -257 || algorithm === -65535) {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const { n = '', e = '' } = publicKey.export({ format: 'jwk' })
    return { privateKey, cose: coseOf([1, 3], [3, algorithm], [-1, n], [-2, e]) }
  }
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: algorithm === -35 ? 'P-384' : 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  return { privateKey, cose: coseOf([1, 2], [3, algorithm], [-1, algorithm === -35 ? 2 : 1], [-2, x], [-3, y]) }
}

const coseOf = (...entries: readonly (readonly [number, number | string])[]) =>
  new Map(entries.map(([label, value]) => [label, typeof value === 'string' ? new Uint8Array(Buffer.from(value, 'base64url')) : value]))

const signed = (algorithm: number, key: KeyObject, data: Buffer) => sign(algorithm === -8 ? null : 'sha256', data, key)
