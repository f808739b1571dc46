// Reads the files that the settings of TLS name, and makes the server that listens with them.
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer, type ServerOptions } from 'node:https'
import type { Config } from './config.ts'
import type { MutualTls } from './oidc/mutual-tls.ts'
import { StartError } from './platform/data/start-error.ts'
import { createClientCertificates } from './platform/http/client-certificate.ts'
import { refuseMalformed } from './platform/http/connection.ts'
import { answersWith, securityHeaders } from './platform/http/headers.ts'
import { Incoming } from './platform/http/incoming.ts'
import type { Log } from './platform/log.ts'

/** Slow clients are cut off; the keep-alive outlasts that of the proxies in front. */
const limits = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 65_000 }

interface Listening {
  readonly listener: RequestListener
  readonly log: Log
}

/**
 * Makes the server, which does not listen yet: in the clear, or with the certificate that the settings name. Every answer bears the security headers,
 * and bytes that are no HTTP are refused. Throws a sentence for a file that cannot be used.
 */
export const createListener = ({ tls, issuer }: Pick<Config, 'tls' | 'issuer'>, { listener, log }: Listening): Server => {
  const headers = securityHeaders({ isSecure: new URL(issuer).protocol === 'https:' })
  const options = { ...limits, IncomingMessage: Incoming, ServerResponse: answersWith(headers) }
  const certificate = readOwn(tls)
  const server = certificate ? createSecure({ ...options, ...certificate }, listener) : createServer(options, listener)
  refuseMalformed(server, { log, headers })
  return server
}

/** Reads the files as the server would that listens with them; throws the same sentence for one that cannot be used. */
export const verifyTlsFiles = ({ own, clientCaFile }: Config['tls']): void => {
  const certificate = readOwn({ own, clientCaFile })
  if (certificate) createSecure(certificate, () => undefined)
  if (clientCaFile !== undefined) readCertificates('TLS_CLIENT_CA_FILE', clientCaFile)
}

/** Where certificates of clients are found; `undefined` where the settings name no way for them to come. */
export const openMutualTls = ({ tls, trustedProxies }: Pick<Config, 'tls' | 'trustedProxies'>, now: () => Date): MutualTls | undefined => {
  if (!tls.own && tls.clientHeader === undefined) return undefined
  const authorities = tls.clientCaFile === undefined ? [] : readCertificates('TLS_CLIENT_CA_FILE', tls.clientCaFile)
  const { find, isTrusted } = createClientCertificates({ header: tls.clientHeader, trustedProxies, authorities, now })
  return { find, ...(authorities.length > 0 ? { isTrusted } : {}), origin: tls.mtlsOrigin }
}

const readOwn = ({ own, clientCaFile }: Config['tls']) =>
  own && {
    cert: read('TLS_CERT_FILE', own.certFile),
    key: read('TLS_KEY_FILE', own.keyFile),
    ca: clientCaFile && read('TLS_CLIENT_CA_FILE', clientCaFile),
  }

const createSecure = (options: ServerOptions, listener: RequestListener): Server => {
  try {
    // Every caller may come without a certificate, and with one of their own making: what it is worth is decided where it is used.
    return createSecureServer({ ...options, minVersion: 'TLSv1.2', requestCert: true, rejectUnauthorized: false }, listener)
  } catch (cause) {
    throw new StartError('tls_files_invalid', 'TLS_CERT_FILE, TLS_KEY_FILE and TLS_CLIENT_CA_FILE must be PEM, and the key that of the certificate.', { cause })
  }
}

const read = (setting: string, path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new StartError('tls_files_invalid', `${setting}: ${path} cannot be read.`, { cause })
  }
}

const readCertificates = (setting: string, path: string): X509Certificate[] => {
  const blocks = read(setting, path).match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? []
  try {
    const certificates = blocks.map(block => new X509Certificate(block))
    if (certificates.length > 0) return certificates
  } catch (cause) {
    throw new StartError('tls_files_invalid', `${setting}: ${path} has a certificate that cannot be read.`, { cause })
  }
  throw new StartError('tls_files_invalid', `${setting}: ${path} has no certificate in PEM.`)
}
