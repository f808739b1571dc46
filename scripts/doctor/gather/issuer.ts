// Finds out about the issuer as a stranger would: its name, its certificate, its discovery document, its clock.
import { lookup } from 'node:dns/promises'
import { type IncomingMessage, request as plain } from 'node:http'
import { request as encrypted } from 'node:https'
import { TLSSocket } from 'node:tls'
import type { Environment, IssuerFacts } from '../facts.ts'
import { isLoopback, settingsOf } from '../settings.ts'
import { failureOf, patienceMilliseconds } from './failure.ts'

const dayMilliseconds = 86_400_000
const maxBytes = 65_536

/** Asks it once. */
export const gatherIssuer = async (environment: Environment): Promise<IssuerFacts> => {
  const { issuer } = settingsOf(environment)
  if (issuer === undefined || !/^https?:$/.test(issuer.protocol)) return {}
  if (!isLoopback(issuer.hostname) && !(await resolves(issuer.hostname))) return { resolves: false }
  try {
    return await askDiscovery(new URL('/.well-known/openid-configuration', issuer))
  } catch (error) {
    return { failure: failureOf(error) }
  }
}

// A resolver that cannot be asked says nothing of the name; then the request fails, and is told.
const resolves = async (host: string): Promise<boolean> => {
  try {
    await lookup(host.replace(/^\[|\]$/g, ''))
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOTFOUND')
  }
}

const askDiscovery = async (address: URL): Promise<IssuerFacts> => {
  const askedAt = Date.now()
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    // An untrusted certificate is told, and what is behind it is looked at all the same; nothing secret is sent.
    const options = { timeout: patienceMilliseconds, headers: { Accept: 'application/json' } }
    const request = address.protocol === 'https:' ? encrypted(address, { ...options, rejectUnauthorized: false }) : plain(address, options)
    request.on('response', resolve).on('error', reject)
    request.on('timeout', () => request.destroy(new Error(`no answer within ${patienceMilliseconds / 1000} seconds`))).end()
  })
  const middle = (askedAt + Date.now()) / 2
  const certificate = certificateOf(response)
  const at = Date.parse(response.headers.date ?? '')
  return {
    ...certificate,
    discovery: { status: response.statusCode ?? 0, issuer: issuerIn(await textOf(response)) },
    clockAheadSeconds: Number.isNaN(at) ? undefined : (at - middle) / 1000,
  }
}

const certificateOf = ({ socket }: IncomingMessage): Pick<IssuerFacts, 'certificateFault' | 'certificateDays'> => {
  if (!(socket instanceof TLSSocket)) return {}
  const fault: unknown = socket.authorizationError
  return {
    certificateFault: socket.authorized ? undefined : fault instanceof Error ? fault.message : String(fault ?? 'unknown'),
    certificateDays: Math.floor((Date.parse(socket.getPeerCertificate().valid_to) - Date.now()) / dayMilliseconds),
  }
}

const textOf = async (response: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const chunk of response) {
    text += chunk
    if (text.length > maxBytes) break
  }
  return text
}

const issuerIn = (text: string): string | undefined => {
  try {
    const document: unknown = JSON.parse(text)
    return typeof document === 'object' && document !== null && 'issuer' in document && typeof document.issuer === 'string' ? document.issuer : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
