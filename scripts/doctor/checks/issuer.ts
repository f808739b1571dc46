// Checks of the issuer: how it is written, where it leads, who answers there.
import type { Check } from '../check.ts'
import { isLoopback } from '../settings.ts'

const expiryDays = 21
const skewSeconds = 10

export const issuerChecks: readonly Check[] = [
  {
    code: 'issuer_malformed',
    level: 'wrong',
    settings: ['ISSUER'],
    why: 'Clients compare the issuer letter by letter, and every address is made of it.',
    mend: 'Set ISSUER to an origin such as https://id.example.com, without path or trailing slash.',
    look: ({ environment: { ISSUER: given }, settings: { issuer } }) => Boolean(given) && issuer?.origin !== given && `ISSUER is ${given}, which is no origin.`,
  },
  {
    code: 'issuer_http',
    level: 'wrong',
    settings: ['ISSUER'],
    why: 'Passwords, codes and cookies would cross the network in the clear.',
    mend: 'Set ISSUER to the https origin that people see.',
    look: ({ settings: { isProduction, issuer } }) =>
      isProduction && issuer?.protocol === 'http:' && !isLoopback(issuer.hostname) && `ISSUER is ${issuer.origin} in production.`,
  },
  {
    code: 'cookies_in_clear',
    level: 'wrong',
    why: 'Over http the cookies of sessions are sent unprotected, and browsers refuse passkeys there.',
    mend: 'Give the issuer https (TLS_CERT_FILE, or a proxy), or use it on this machine alone.',
    look: ({ settings: { isProduction, issuer } }) =>
      !isProduction && issuer?.protocol === 'http:' && !isLoopback(issuer.hostname) && `${issuer.origin} is http, and not this machine.`,
  },
  {
    code: 'issuer_loopback',
    level: 'warning',
    settings: ['ISSUER'],
    why: 'Nobody else reaches it: links in mails and addresses in tokens lead each reader to their own machine.',
    mend: 'Set ISSUER to the https origin that people see.',
    look: ({ environment, settings: { isProduction, issuer } }) =>
      isProduction && Boolean(environment.ISSUER) && isLoopback(issuer?.hostname ?? '') && `ISSUER is ${issuer?.origin} in production.`,
  },
  {
    code: 'issuer_unknown',
    level: 'wrong',
    why: 'Neither people nor clients find it, and links in mails lead nowhere.',
    mend: 'Make the DNS record of the host of ISSUER, or mend the resolver of this machine.',
    look: ({ settings: { issuer }, issuer: { resolves } }) => resolves === false && `No address is known for ${issuer?.hostname}.`,
  },
  {
    code: 'certificate_untrusted',
    level: 'wrong',
    why: 'Browsers warn of it and clients refuse to talk to it.',
    mend: 'Serve a certificate for the host of ISSUER with those that issued it, or set NODE_EXTRA_CA_CERTS for an authority of your own.',
    look: ({ settings: { issuer }, issuer: { certificateFault } }) =>
      certificateFault && `The certificate at ${issuer?.host} is not believed: ${certificateFault}.`,
  },
  {
    code: 'certificate_expiring',
    level: 'warning',
    why: 'From that day on nobody signs in.',
    mend: 'Renew the certificate, and see why it was not renewed by itself.',
    look: ({ settings: { issuer }, issuer: { certificateFault, certificateDays: days } }) =>
      certificateFault === undefined && days !== undefined && days < expiryDays && `The certificate at ${issuer?.host} is good for ${days} days more.`,
  },
  {
    code: 'issuer_unreachable',
    level: 'warning',
    why: 'Either the server is not started yet, or the proxy does not hand requests on.',
    mend: 'Start the server, and look whether the proxy in front leads to HOST and PORT.',
    look: ({ settings: { isProduction, issuer }, issuer: { resolves, certificateFault, failure } }) =>
      isProduction && resolves !== false && certificateFault === undefined && failure && `${issuer?.origin} does not answer from here: ${failure.reason}.`,
  },
  {
    code: 'issuer_other',
    level: 'wrong',
    why: 'Clients refuse an issuer whose discovery document does not name it.',
    mend: 'Lead the host of ISSUER to this server, and set the same ISSUER in every process.',
    look: ({ settings: { issuer }, issuer: { discovery } }) => {
      if (issuer === undefined || discovery === undefined || discovery.issuer === issuer.origin) return undefined
      return `${issuer.origin}/.well-known/openid-configuration answers ${discovery.status} ${discovery.issuer ? `for ${discovery.issuer}` : 'without an issuer'}.`
    },
  },
  {
    code: 'clock_of_issuer',
    level: 'warning',
    why: 'Tokens are refused as not yet valid or as expired, and codes of authenticator apps fail.',
    mend: 'Keep the clocks of all machines by NTP.',
    look: ({ issuer: { clockAheadSeconds: ahead } }) =>
      ahead !== undefined && Math.abs(ahead) > skewSeconds && `The clock of what answers at the issuer is ${Math.round(ahead)} seconds from this machine's.`,
  },
]
