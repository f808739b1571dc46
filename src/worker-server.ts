// What the job process tells over HTTP, where it is told to: probes and metrics, nothing else.
import { createServer, type Server } from 'node:http'
import Koa from 'koa'
import type { Config } from './config.ts'
import { listenOn } from './listen.ts'
import { Problem } from './platform/errors.ts'
import { createHealth } from './platform/health.ts'
import { createErrorBoundary } from './platform/http/errors.ts'
import { answersWith, securityHeaders } from './platform/http/headers.ts'
import { createMetricsEndpoint } from './platform/metrics/endpoint.ts'
import { createProbes } from './probes.ts'
import type { Resources } from './resources.ts'

/** Listens on METRICS_PORT; on this machine alone unless HOST says otherwise. Answers what stops it; without a port it does nothing. */
export const serveWorker = async (
  resources: Resources,
  { metricsPort, metricsToken, host = '127.0.0.1', trustedProxies }: Pick<Config, 'metricsPort' | 'metricsToken' | 'host' | 'trustedProxies'>,
): Promise<{ readonly server?: Server; readonly stop: () => Promise<void> }> => {
  if (metricsPort === undefined) return { stop: async () => {} }
  const { log, metrics } = resources
  const koa = new Koa()
  koa.on('error', error => log.debug({ err: error }, 'a response failed'))
  koa.use(createErrorBoundary({ log, challenge: () => undefined, show: tell }))
  koa.use(createProbes(createHealth(resources)))
  if (metrics) koa.use(createMetricsEndpoint({ metrics, token: metricsToken, isBehindProxy: trustedProxies > 0 }))
  koa.use(() => {
    throw new Problem('not_found')
  })
  // It is asked beside the issuer, in the clear.
  const server = createServer({ ServerResponse: answersWith(securityHeaders({ isSecure: false })) }, koa.callback())
  await listenOn(server, { port: metricsPort, host, setting: 'METRICS_PORT' })
  const stop = async () => {
    server.close()
    server.closeAllConnections()
  }
  return { server, stop }
}

const tell = (ctx: Koa.Context, problem: Problem) => {
  ctx.body = `${problem.message}\n`
}
