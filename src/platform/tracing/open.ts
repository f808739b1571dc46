// Traces by OpenTelemetry, sent to a collector as OTLP over HTTP: the only file that knows its packages, imported only where traces are wanted.
import {
  type Context,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace'
import type { Span, Tracing } from './tracing.ts'

interface Needs {
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly serviceName: string
  readonly version: string
  readonly share: number
}

const kinds = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const

const closeMilliseconds = 1000

/** Opens it. A collector that is out of reach costs spans, never a request. */
export const openTracing = ({ endpoint, headers, serviceName, version, share }: Needs): Tracing => {
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces`, headers: { ...headers }, timeoutMillis: 5000 })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }),
    // Strangers say in `traceparent` what they like: the share is ours to decide, by the trace's id.
    sampler: new TraceIdRatioBasedSampler(share),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: 2000 })],
  })
  const tracer = provider.getTracer('authy2', version)
  const start = (name: string, options: SpanOptions, context: Context): Span => wrapped(tracer.startSpan(name, options, context), start)
  return {
    begin: ({ name, kind, attributes, continues, askedBy }) => {
      const [remote, asker] = [spanContextOf(continues), spanContextOf(askedBy)]
      const context = remote ? trace.setSpanContext(ROOT_CONTEXT, remote) : ROOT_CONTEXT
      return start(name, { kind: kinds[kind], attributes: { ...attributes }, links: asker ? [{ context: asker }] : [] }, context)
    },
    // What the collector does not take by now is lost, which is nobody's failure but the collector's.
    close: async () => {
      const { promise: late, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, closeMilliseconds)
      await Promise.race([provider.shutdown().catch(() => undefined), late])
      clearTimeout(timer)
    },
  }
}

type Start = (name: string, options: SpanOptions, context: Context) => Span

const wrapped = (span: OtelSpan, start: Start): Span => {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return {
    traceId,
    traceparent: `00-${traceId}-${spanId}-${(traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, '0')}`,
    rename: name => void span.updateName(name),
    set: attributes => void span.setAttributes({ ...attributes }),
    child: (name, { kind = 'internal', attributes = {} } = {}) =>
      start(name, { kind: kinds[kind], attributes: { ...attributes } }, trace.setSpan(ROOT_CONTEXT, span)),
    end: error => {
      if (error !== undefined) {
        span.setAttribute('error.type', error instanceof Error ? error.name : 'unknown')
        span.setStatus({ code: SpanStatusCode.ERROR })
      }
      span.end()
    },
  }
}

const form = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/

// W3C Trace Context §3.2.2: version ff and ids of zeros are invalid.
const spanContextOf = (traceparent: string | undefined): SpanContext | undefined => {
  const [, traceId = '', spanId = '', flags = '00'] = form.exec(traceparent ?? '') ?? []
  if (!traceId || traceparent?.startsWith('ff') || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true }
}
