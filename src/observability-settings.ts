// Who may read metrics, where a worker tells them, and where traces go: their settings, and what is made of them.
import { z } from 'zod'

const optional = <Schema extends z.ZodType>(schema: Schema) => z.preprocess(given => (given === '' ? undefined : given), schema.optional())
const isWeb = (value: string) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
const pair = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+=[\x21-\x2b\x2d-\x7e]*$/

const headers = z
  .string()
  .transform(list => list.split(',').flatMap(one => one.trim() || []))
  .pipe(z.array(z.string().regex(pair, 'must be pairs such as api-key=abc, separated by commas')))
  .transform(pairs => Object.fromEntries(pairs.map(one => [one.slice(0, one.indexOf('=')), decoded(one.slice(one.indexOf('=') + 1))])))

/** Their variables; those of OpenTelemetry are named as its specification names them. */
export const observabilitySettings = {
  // What a bearer token may be made of: RFC 6750 §2.1.
  METRICS_TOKEN: optional(z.string().regex(/^[\w.~+/-]{32,}=*$/, 'must have at least 32 letters, digits or -._~+/')),
  METRICS_PORT: optional(z.coerce.number('must be a port number, from 0 to 65535').int().min(0).max(65_535)),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(z.string().refine(isWeb, 'must be an address such as http://localhost:4318')),
  OTEL_EXPORTER_OTLP_HEADERS: optional(headers),
  OTEL_SERVICE_NAME: optional(z.string().max(100, 'must have at most 100 characters')),
  OTEL_TRACES_SAMPLER_ARG: optional(z.coerce.number('must be a share from 0 to 1').min(0).max(1)),
}

interface Given {
  readonly METRICS_TOKEN?: string
  readonly METRICS_PORT?: number
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string
  readonly OTEL_EXPORTER_OTLP_HEADERS?: Readonly<Record<string, string>>
  readonly OTEL_SERVICE_NAME?: string
  readonly OTEL_TRACES_SAMPLER_ARG?: number
}

/** Where traces go. */
export interface TracingSettings {
  /** The collector; `/v1/traces` is asked of it. */
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly serviceName: string
  /** Which share of the requests is traced, from 0 to 1. */
  readonly share: number
}

/** The settings, parsed. */
export interface ObservabilityConfig {
  /** What whoever reads metrics shows; absent: they are told to this machine alone. */
  readonly metricsToken?: string
  /** Where a worker answers probes and tells its metrics. */
  readonly metricsPort?: number
  /** Absent: nothing is traced. */
  readonly tracing?: TracingSettings
}

/** What is made of them. */
export const observabilityConfigOf = (given: Given): ObservabilityConfig => ({
  metricsToken: given.METRICS_TOKEN,
  metricsPort: given.METRICS_PORT,
  tracing:
    given.OTEL_EXPORTER_OTLP_ENDPOINT === undefined
      ? undefined
      : {
          endpoint: given.OTEL_EXPORTER_OTLP_ENDPOINT,
          headers: given.OTEL_EXPORTER_OTLP_HEADERS ?? {},
          serviceName: given.OTEL_SERVICE_NAME ?? 'authy2',
          share: given.OTEL_TRACES_SAMPLER_ARG ?? 1,
        },
})

// Values are percent-encoded (W3C Baggage); what only looks so stays as it is.
const decoded = (value: string) => {
  try {
    return decodeURIComponent(value)
  } catch (error) {
    if (error instanceof URIError) return value
    throw error
  }
}
