// The jobs there are, each with its work: what the web process or a worker starts.
import { fileURLToPath } from 'node:url'
import { createProofHandler } from './authentication/proof-mails.ts'
import type { Config } from './config.ts'
import { createMailHandler } from './mails/mails.ts'
import type { JobHandler } from './platform/jobs/job.ts'
import { startJobs } from './platform/jobs/run.ts'
import type { Resources } from './resources.ts'
import type { Services } from './services.ts'

const viewsDirectory = fileURLToPath(new URL('../views', import.meta.url))

/** Starts doing jobs until told to stop. Without a mailer its mails wait in the queue. */
export const startAllJobs = ({ config, resources, services }: { config: Config; resources: Resources; services: Services }): (() => Promise<void>) => {
  const { log, mailer } = resources
  const isCached = config.environment !== 'development'
  const handlers: JobHandler[] = [
    services.images.handler,
    ...services.backchannelHandlers,
    createProofHandler({ ...services, issuer: config.issuer }),
    ...(mailer ? [createMailHandler({ mailer, languages: services.languages, directory: viewsDirectory, isCached, productName: 'Authy2' })] : []),
  ]
  return startJobs({ queue: services.queue, handlers, log })
}
