// Certificates of a test's own: an authority, and what it issues; nothing is kept.
import type { webcrypto } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { exportPKCS8 } from 'jose'
import { temporaryFolder } from './folder.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const newKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>
const day = 86_400_000

/** A certificate with its key. */
export interface Certified {
  readonly certificate: x509.X509Certificate
  readonly keys: webcrypto.CryptoKeyPair
  /** In PEM. */
  readonly cert: string
  readonly key: string
}

interface Wanted {
  readonly subject?: string
  readonly names?: x509.JsonGeneralNames
  readonly issuer?: Certified
  readonly isAuthority?: boolean
  /** The purposes that it names; absent: that of clients. */
  readonly purposes?: readonly string[]
  /** How many days ago it ended. */
  readonly endedDaysAgo?: number
}

/** Makes a certificate, by its own key unless it has an issuer. */
export const certify = async ({ subject = 'CN=client', names, issuer, isAuthority = false, purposes, endedDaysAgo }: Wanted = {}): Promise<Certified> => {
  const keys = await newKeys()
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: Buffer.from(crypto.getRandomValues(new Uint8Array(8)).with(0, 1)).toString('hex'),
    subject,
    issuer: issuer?.certificate.subject ?? subject,
    notBefore: new Date(Date.now() - 30 * day),
    notAfter: new Date(Date.now() + (endedDaysAgo === undefined ? day : -endedDaysAgo * day)),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(isAuthority, undefined, true),
      ...(isAuthority ? [] : [new x509.ExtendedKeyUsageExtension([...(purposes ?? ['1.3.6.1.5.5.7.3.2'])])]),
      ...(names ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  })
  return { certificate, keys, cert: certificate.toString('pem'), key: await exportPKCS8(keys.privateKey) }
}

/** The certificate as a header: RFC 9440's, and nginx's. */
export const asByteSequence = ({ certificate }: Certified): string => `:${Buffer.from(certificate.rawData).toString('base64')}:`
export const asEscapedPem = ({ cert }: Certified): string => encodeURIComponent(cert)

/** Its key as a client registers it, with the certificate beside it (RFC 8705 §2.2.2). */
export const asJwk = async ({ certificate, keys }: Certified) => ({
  ...(await crypto.subtle.exportKey('jwk', keys.publicKey)),
  key_ops: undefined,
  ext: undefined,
  x5c: [Buffer.from(certificate.rawData).toString('base64')],
})

/** Writes texts to files of a directory of their own; answers their paths. */
export const writeFiles = (files: Readonly<Record<string, string>>): Record<string, string> => {
  const directory = temporaryFolder('certificates')
  return Object.fromEntries(
    Object.entries(files).map(([name, text]) => {
      const path = join(directory, name)
      writeFileSync(path, text, { mode: 0o600 })
      return [name, path]
    }),
  )
}
