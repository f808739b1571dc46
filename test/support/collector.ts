// A small collector of traces: takes OTLP over HTTP as JSON and keeps what it is told.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A span as it is told. */
export interface ToldSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly attributes: readonly { readonly key: string }[]
}

/** Starts it on a free port. */
export async function startCollector() {
  const bodies: string[] = []
  const asked = new Set<string>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    asked.add(`${request.method} ${request.url} ${request.headers['content-type']} ${request.headers['api-key']}`)
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      bodies.push(Buffer.concat(chunks).toString())
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    /** What leads a server to it. */
    settings: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}/`, OTEL_EXPORTER_OTLP_HEADERS: 'api-key=abc' },
    /** How it was asked, each way once. */
    asked,
    text: () => bodies.join('\n'),
    spans: (): readonly ToldSpan[] =>
      bodies.flatMap(body =>
        JSON.parse(body).resourceSpans.flatMap((one: { scopeSpans: { spans: ToldSpan[] }[] }) => one.scopeSpans.flatMap(scope => scope.spans)),
      ),
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
