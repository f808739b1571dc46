// Checks of the files of TLS: whether the server starts with them, whose they are, and for how long they are good.
import type { Check } from '../check.ts'
import type { FileFacts } from '../facts.ts'

const expiryDays = 21
const modeOf = (file: FileFacts | undefined) => (file?.mode ?? 0).toString(8).padStart(3, '0')

export const tlsChecks: readonly Check[] = [
  {
    code: 'tls_key_open',
    level: 'wrong',
    why: 'Other users of this machine can pass themselves off as the issuer.',
    mend: 'chmod 600 the file of TLS_KEY_FILE, and let the user that runs the server own it.',
    look: ({ machine: { tlsKey } }) => ((tlsKey?.mode ?? 0) & 0o007) !== 0 && `The file of TLS_KEY_FILE is open to everybody (mode ${modeOf(tlsKey)}).`,
  },
  {
    code: 'tls_key_unusable',
    level: 'wrong',
    why: 'The server does not start.',
    mend: 'Let the user that runs the server read the file of TLS_KEY_FILE, or name another.',
    look: ({ machine: { tlsKey } }) => tlsKey?.isUsable === false && 'The file of TLS_KEY_FILE is not there, or this user may not read it.',
  },
  {
    code: 'tls_files_unusable',
    level: 'wrong',
    why: 'The server does not start.',
    mend: 'Name files in PEM that the user that runs the server may read.',
    look: ({ machine: { tls, tlsKey } }) => {
      const isTold = tls?.isKeyOther || (tlsKey?.isUsable === false && tls?.fault?.startsWith('TLS_KEY_FILE'))
      return !isTold && tls?.fault
    },
  },
  {
    code: 'tls_key_other',
    level: 'wrong',
    why: 'The server does not start.',
    mend: 'Name in TLS_KEY_FILE the key that the certificate of TLS_CERT_FILE was issued for; the certificate of the server stands first in its file.',
    look: ({ machine: { tls } }) => tls?.isKeyOther && 'TLS_KEY_FILE holds the key of another certificate than that of TLS_CERT_FILE.',
  },
  {
    code: 'tls_certificate_other',
    level: 'wrong',
    why: 'Browsers and clients refuse it before they ask anything.',
    mend: 'Name in TLS_CERT_FILE a certificate whose alternative names hold the host of ISSUER.',
    // Behind a proxy it is for the proxy alone, by whatever name that calls us.
    look: ({ environment: { TRUST_PROXY: proxies }, settings: { issuer }, machine: { tls } }) =>
      !(Number(proxies) > 0) &&
      tls?.otherNames !== undefined &&
      `The certificate of TLS_CERT_FILE is not for ${issuer?.hostname}, but for ${tls.otherNames || 'no host'}.`,
  },
  {
    code: 'own_certificate_expiring',
    level: 'warning',
    why: 'From that day on nobody signs in.',
    mend: 'Renew the certificate of TLS_CERT_FILE, and start the server again.',
    look: ({ machine: { tls } }) =>
      tls?.certificateDays !== undefined &&
      tls.certificateDays < expiryDays &&
      `The certificate of TLS_CERT_FILE is good for ${tls.certificateDays} days more.`,
  },
]
