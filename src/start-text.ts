// What a newcomer reads when the server is up.
import type { Config } from './config.ts'
import { demoClients, demoUsers } from './demo-data.ts'

// The demo app is not in the package, which holds JavaScript alone.
const isPackage = import.meta.url.endsWith('.js')

interface Started {
  readonly milliseconds: number
  readonly applied: readonly string[]
  /** Whether only this machine is answered. */
  readonly isLocal: boolean
}

/** The start text: where things are and, with demo data, who may sign in. */
export const startText = (config: Config, { milliseconds, applied, isLocal }: Started): string => {
  const database = config.databaseUrl ? 'PostgreSQL' : `embedded PostgreSQL in ${config.dataDir}`
  const redis = config.redisUrl ? ' · Redis' : ''
  const migrated = applied.length > 0 ? ` · ${applied.length} migration${applied.length === 1 ? '' : 's'} applied` : ''
  const lines = [
    `Authy2 is ready in ${(milliseconds / 1000).toFixed(1)} s · ${database}${redis}${migrated}`,
    '',
    `  Issuer      ${config.issuer}`,
    `  Discovery   ${config.issuer}/.well-known/openid-configuration`,
    `  Mail        ${mailText(config)}`,
    ...(isLocal ? ['  Answers     this machine alone, as long as HOST is not set'] : []),
    ...(config.tls.own || config.tls.clientHeader ? [`  TLS         ${tlsText(config)}`] : []),
    ...(config.isDemoSeeded ? demoLines(config) : []),
  ]
  return `\n${lines.join('\n')}\n\n`
}

// The address of the server alone: the rest of the setting may be a password.
const mailText = ({ smtpUrl, environment, issuer }: Config): string => {
  if (smtpUrl !== undefined) return `by ${new URL(smtpUrl).host}`
  if (environment !== 'production') return `kept for reading at ${issuer}/dev/mail`
  return 'none: without SMTP_URL nobody can sign up, prove an address or recover a password'
}

const tlsText = ({ tls }: Config): string => {
  const source =
    tls.clientHeader === undefined ? "our own; clients' certificates are asked for" : `clients' certificates are told by the proxy in ${tls.clientHeader}`
  const at = tls.mtlsOrigin === undefined ? '' : `, at ${tls.mtlsOrigin}`
  return `${source}${at}${tls.clientCaFile === undefined ? ', none by an authority: TLS_CLIENT_CA_FILE is empty' : ''}`
}

const demoLines = ({ issuer }: Config): string[] => {
  const [portal] = demoClients
  const signIn = new URL('/oauth2/authorize', issuer)
  signIn.search = new URLSearchParams({
    client_id: 'acme-spa-001',
    response_type: 'code',
    scope: 'openid profile email',
    redirect_uri: 'http://localhost:4001/callback',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  }).toString()
  return [
    `  Sign in     ${signIn.href}`,
    ...(isPackage ? [] : [`  Demo app    ${issuer === 'http://localhost:3000' ? '' : `ISSUER=${issuer} `}npm run demo, then http://localhost:4000`]),
    `  Client      ${portal.clientId} / ${portal.secret}`,
    '  Users',
    ...demoUsers.map(({ email, password }) => `    ${email.padEnd(22)} ${password}`),
    '',
    '  Demo data, for development only.',
  ]
}
