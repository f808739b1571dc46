// The settings of TLS: a certificate of our own, and where the certificates of clients come from (RFC 8705).
import { z } from 'zod'

const optional = <Schema extends z.ZodType>(schema: Schema) => z.preprocess(value => (value === '' ? undefined : value), schema.optional())

/** The settings, each optional. */
export const tlsSettings = {
  TLS_CERT_FILE: optional(z.string()),
  TLS_KEY_FILE: optional(z.string()),
  TLS_CLIENT_CA_FILE: optional(z.string()),
  CLIENT_CERTIFICATE_HEADER: optional(z.string().regex(/^[A-Za-z0-9-]+$/, 'must be the name of a header such as Client-Cert')),
  MTLS_ORIGIN: optional(
    z.string().refine(value => URL.canParse(value) && new URL(value).origin === value, 'must be an origin such as https://mtls.id.example.com'),
  ),
}

/** The settings, parsed. */
export interface TlsSettings {
  /** The server's own certificate, with those that issued it, and its key: files in PEM. */
  readonly own?: { readonly certFile: string; readonly keyFile: string }
  /** The authorities whose certificates tell who a client is: a file in PEM. */
  readonly clientCaFile?: string
  /** The header in which the trusted proxy hands on the client's certificate. */
  readonly clientHeader?: string
  /** The origin at which certificates are asked for. */
  readonly mtlsOrigin?: string | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/** Reads the settings, which {@link tlsFaults} found none in. */
export const tlsOf = (environment: Environment): TlsSettings => {
  const settings = z.object(tlsSettings).parse(environment)
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } = settings
  return {
    ...(certFile && keyFile ? { own: { certFile, keyFile } } : {}),
    clientCaFile: settings.TLS_CLIENT_CA_FILE,
    clientHeader: settings.CLIENT_CERTIFICATE_HEADER,
    mtlsOrigin: settings.MTLS_ORIGIN,
  }
}

/** One sentence for each pair of settings that do not go together. */
export const tlsFaults = (environment: Environment): string[] => {
  const has = (name: string) => Boolean(environment[name])
  const faults: string[] = []
  if (has('TLS_CERT_FILE') !== has('TLS_KEY_FILE')) faults.push('TLS_CERT_FILE and TLS_KEY_FILE belong together')
  if (has('CLIENT_CERTIFICATE_HEADER') && !(Number(environment.TRUST_PROXY) > 0))
    faults.push('CLIENT_CERTIFICATE_HEADER needs TRUST_PROXY: whoever asks could write that header')
  const canAsk = has('TLS_CERT_FILE') || has('CLIENT_CERTIFICATE_HEADER')
  for (const name of ['TLS_CLIENT_CA_FILE', 'MTLS_ORIGIN']) if (has(name) && !canAsk) faults.push(`${name} needs TLS_CERT_FILE or CLIENT_CERTIFICATE_HEADER`)
  if (has('TLS_CERT_FILE') && has('TLS_KEY_FILE') && !environment.ISSUER?.startsWith('https:')) faults.push('TLS_CERT_FILE needs an https ISSUER')
  return faults
}
