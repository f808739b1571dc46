// Checks of the collector of traces.
import type { Check } from '../check.ts'

export const collectorChecks: readonly Check[] = [
  {
    code: 'collector_unreachable',
    level: 'warning',
    why: 'Traces are thrown away, and are missed when something has to be found out.',
    mend: 'Start the collector, or look at OTEL_EXPORTER_OTLP_ENDPOINT (OTLP over HTTP, mostly port 4318) and at the firewall.',
    look: ({ collector: { failure } }) => failure && `The collector of OTEL_EXPORTER_OTLP_ENDPOINT does not answer: ${failure.reason}.`,
  },
]
