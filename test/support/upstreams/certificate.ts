// Self-signed certificates of the test's own, valid whenever a test wants them to be.
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** A key and what tells of it. */
export interface Identity {
  /** PKCS #8, as PEM. */
  readonly privateKey: string
  /** As PEM. */
  readonly certificate: string
}

interface Wanted {
  readonly name?: string
  readonly notBefore?: Date
  readonly notAfter?: Date
  readonly modulusLength?: number
}

const year = 365 * 24 * 3_600_000

/** Makes a key with a certificate. */
export const makeIdentity = ({ modulusLength = 2048, ...wanted }: Wanted = {}): Identity => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength })
  return certify(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), wanted)
}

/** Makes a certificate for a key that there is. */
export const certify = (
  privateKey: string,
  { name = 'test', notBefore = new Date(Date.now() - year), notAfter = new Date(Date.now() + year) }: Wanted = {},
): Identity => {
  const key = createPrivateKey(privateKey)
  const algorithm = sequence(Buffer.from('06092a864886f70d01010b0500', 'hex'))
  const subject = sequence(element(0x31, sequence(Buffer.from('0603550403', 'hex'), element(0x0c, Buffer.from(name)))))
  const body = sequence(element(0xa0, integer(2)), integer(1), algorithm, subject, sequence(time(notBefore), time(notAfter)), subject, publicKeyOf(key))
  const signature = element(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, key)]))
  const base64 = sequence(body, algorithm, signature).toString('base64')
  return { privateKey, certificate: `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n` }
}

/** The base64 of a certificate, as XML has it. */
export const base64Of = (certificate: string): string => certificate.replace(/-----[A-Z ]+-----|\s/g, '')

const publicKeyOf = (key: KeyObject): Buffer => {
  const { n, e } = key.export({ format: 'jwk' })
  const rsa = sequence(unsigned(Buffer.from(n ?? '', 'base64url')), unsigned(Buffer.from(e ?? '', 'base64url')))
  return sequence(sequence(Buffer.from('06092a864886f70d0101010500', 'hex')), element(0x03, Buffer.concat([Buffer.from([0]), rsa])))
}

const element = (tag: number, content: Buffer): Buffer => {
  const size = content.length
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}
const sequence = (...parts: readonly Buffer[]): Buffer => element(0x30, Buffer.concat(parts))
const integer = (value: number): Buffer => element(0x02, Buffer.from([value]))
const unsigned = (bytes: Buffer): Buffer => element(0x02, (bytes[0] ?? 0) > 127 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes)
const time = (at: Date): Buffer => element(0x18, Buffer.from(`${at.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`))
