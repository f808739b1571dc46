// Finds out about the files of TLS: whether the server starts with them, and whether they are the issuer's.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { StartError } from '../../../src/platform/data/start-error.ts'
import { verifyTlsFiles } from '../../../src/tls.ts'
import type { Environment, TlsFacts } from '../facts.ts'
import { settingsOf } from '../settings.ts'

const dayMilliseconds = 86_400_000

/** Reads them; `undefined` where none is named. */
export const gatherTls = async (environment: Environment): Promise<TlsFacts | undefined> => {
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile, TLS_CLIENT_CA_FILE: clientCaFile } = environment
  if (!certFile && !clientCaFile) return undefined
  // The server reads them in one go. Read aside before, a pipe that nobody writes to holds up nothing but these facts.
  const [certificate, key] = await Promise.all([textOf(certFile), textOf(keyFile), textOf(clientCaFile)])
  const own = certFile && keyFile ? { certFile, keyFile } : undefined
  const fault = faultOf(() => verifyTlsFiles({ own, clientCaFile: clientCaFile || undefined }))
  return { fault, ...ofCertificate(certificate, { key, host: settingsOf(environment).issuer?.hostname }) }
}

interface Beside {
  readonly key: string | undefined
  readonly host: string | undefined
}

const ofCertificate = (text: string | undefined, { key, host }: Beside): TlsFacts => {
  const certificate = orAbsent(() => (text ? new X509Certificate(text) : undefined))
  if (certificate === undefined) return {}
  const privateKey = orAbsent(() => (key ? createPrivateKey(key) : undefined))
  return {
    isKeyOther: privateKey && !certificate.checkPrivateKey(privateKey),
    otherNames: host === undefined || isFor(certificate, host.replace(/^\[|\]$/g, '')) ? undefined : (certificate.subjectAltName ?? ''),
    certificateDays: Math.floor((certificate.validToDate.getTime() - Date.now()) / dayMilliseconds),
  }
}

// RFC 9525 §6.3: the common name counts for nothing, and browsers do not look at it.
const isFor = (certificate: X509Certificate, host: string): boolean =>
  (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host, { subject: 'never' })) !== undefined

const textOf = async (path: string | undefined): Promise<string | undefined> => {
  try {
    return path ? await readFile(path, 'utf8') : undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined // not there, or not for us to see: the server says so
    throw error
  }
}

const faultOf = (read: () => void): string | undefined => {
  try {
    read()
    return undefined
  } catch (error) {
    if (error instanceof StartError) return error.message
    throw error
  }
}

const orAbsent = <Value>(read: () => Value): Value | undefined => {
  try {
    return read()
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined // no PEM of its kind: the server says so
    throw error
  }
}
