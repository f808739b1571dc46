// Measures how long tries of jobs take, and how they end.
import type { Metrics } from '../metrics/metrics.ts'
import type { Tried } from './run.ts'

/** Makes what measures a try. */
export const createJobTimes = (metrics: Metrics): ((tried: Tried) => void) => {
  const observe = metrics.histogram({
    name: 'authy2_job_duration_seconds',
    help: 'How long tries of jobs took: done, failed and to be tried again, or given up.',
    labels: ['kind', 'result'],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 25],
  })
  return ({ kind, result, seconds }) => observe(seconds, { kind, result })
}
