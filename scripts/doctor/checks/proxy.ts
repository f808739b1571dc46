// Checks of what stands between people and the server.
import type { Check } from '../check.ts'

const mostProxies = 3

export const proxyChecks: readonly Check[] = [
  {
    code: 'proxy_untrusted',
    level: 'wrong',
    why: 'Everybody seems to come from the address of the proxy: limits of one shut out all, and the audit log tells nothing.',
    mend: 'Set TRUST_PROXY to how many proxies stand in front, or TLS_CERT_FILE and TLS_KEY_FILE where none does.',
    look: ({ environment, settings: { isProduction, issuer, hasOwnTls } }) =>
      isProduction &&
      issuer?.protocol === 'https:' &&
      !hasOwnTls &&
      !Number(environment.TRUST_PROXY) &&
      'The issuer is https and the server http, but TRUST_PROXY is 0.',
  },
  {
    code: 'proxy_wide',
    level: 'warning',
    why: 'Each proxy too many lets a caller write one more address of their own choice, which escapes limits by address.',
    mend: 'Set TRUST_PROXY to exactly how many proxies stand in front.',
    look: ({ environment }) => Number(environment.TRUST_PROXY) > mostProxies && `TRUST_PROXY believes ${environment.TRUST_PROXY} proxies.`,
  },
]
