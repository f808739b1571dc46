// The jobs there are, each with its work: what the web process or a worker starts.
import { fileURLToPath } from 'node:url'
import { createProofHandler } from './authentication/proof-mails.ts'
import type { Config } from './config.ts'
import { createMailHandler } from './mails/mails.ts'
import { createLogoutHandler } from './oidc/backchannel-logout.ts'
import type { Engine } from './oidc/provider.ts'
import type { JobHandler } from './platform/jobs/job.ts'
import { createJobTimes } from './platform/jobs/job-times.ts'
import { startJobs } from './platform/jobs/run.ts'
import type { Resources } from './resources.ts'
import type { Services } from './services.ts'

const viewsDirectory = fileURLToPath(new URL('../views', import.meta.url))

interface Needs {
  readonly config: Config
  readonly resources: Resources
  readonly services: Services
  readonly engine: Pick<Engine, 'current'>
}

// Clients that do not answer take five seconds a try, and so does the server of a picture; nobody's mail waits for them.
const outwardTogether = 16

/** Starts doing jobs until told to stop. Without a mailer its mails wait in the queue. */
export const startAllJobs = ({ config, resources, services, engine }: Needs): (() => Promise<void>) => {
  const { log, mailer, metrics, tracing } = resources
  const isCached = config.environment !== 'development'
  const handlers: JobHandler[] = [
    createProofHandler({ ...services, issuer: config.issuer }),
    ...(mailer ? [createMailHandler({ mailer, languages: services.languages, directory: viewsDirectory, isCached, productName: 'Authy2' })] : []),
  ]
  const outward = [createLogoutHandler({ engine, now: resources.now }), ...services.backchannelHandlers, services.images.handler]
  const each = { queue: services.queue, log, tracing, onTried: metrics && createJobTimes(metrics) }
  const stops = [services.startDelivering(), startJobs({ ...each, handlers }), startJobs({ ...each, handlers: outward, together: outwardTogether })]
  return async () => {
    await Promise.all(stops.map(stop => stop()))
  }
}
