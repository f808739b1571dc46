// A cluster of three processes that count; the third ends before anybody asked it, and the primary tells whoever started it what the first is told at a scrape.
import cluster from 'node:cluster'
import { answerScrapes, scrapeCluster } from '../../src/platform/metrics/cluster.ts'
import { createMetrics } from '../../src/platform/metrics/metrics.ts'

if (cluster.isPrimary) {
  answerScrapes()
  cluster.once('disconnect', () => workers[0]?.send('scrape'))
  const workers = [1, 2, 3].map(size => cluster.fork({ SIZE: String(size) }))
  let ready = 0
  cluster.on('message', (_worker, message: unknown) => {
    if (message === 'ready' && ++ready === workers.length) workers[2]?.send('end')
    if (typeof message === 'object' && message !== null && 'told' in message) {
      process.send?.(message.told)
      for (const worker of workers) worker.kill()
    }
  })
} else {
  const size = Number(process.env.SIZE)
  const metrics = createMetrics()
  metrics.counter({ name: 'authy2_test_total', help: 'x' })({}, size)
  metrics.histogram({ name: 'authy2_test_seconds', help: 'x' })(size)
  let before = 0
  metrics.beforeScrape(async () => {
    before = size
  })
  metrics.gauge({ name: 'authy2_test_highest', help: 'x', together: 'max', read: () => [{ value: before }] })
  process.on('message', message => {
    if (message === 'end') void metrics.leave().then(() => process.exit(0))
    if (message === 'scrape') void scrapeCluster().then(told => process.send?.({ told }))
  })
  process.send?.('ready')
}
