// What a process counts and measures, told as Prometheus and OpenMetrics want it; with gathering.ts the only file that knows prom-client.
//
// prom-client was weighed against the metrics of OpenTelemetry: it costs about a microsecond an observation and two small packages, and
// it adds up the processes of a cluster.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { answerPrimary, tellPrimaryLast } from './cluster.ts'

/** Values of labels. Few they must be: never the id of a person, a client or a request. */
export type Labels = Readonly<Record<string, string>>

/** One value of a gauge. */
export interface Reading {
  readonly labels?: Labels
  readonly value: number
}

interface Description {
  /** In base units, and `_total` at the end of what only grows. */
  readonly name: `authy2_${string}`
  readonly help: string
  readonly labels?: readonly string[]
  /** The labels that could take values without end: they alone are told as `other` when they took too many. All, unless told. */
  readonly open?: readonly string[]
}

interface Gauged extends Omit<Description, 'open'> {
  /** What several processes make of theirs: the sum unless told; the most where all read the same. */
  readonly together?: 'sum' | 'max' | 'average'
  /** Asked at each scrape. */
  readonly read: () => readonly Reading[]
}

/** In which form metrics are told. */
export type Form = 'prometheus' | 'openmetrics'

/** The metrics of a process. */
export interface Metrics {
  /** What only grows; answers what counts. */
  counter(description: Description): (labels?: Labels, by?: number) => void
  /** How long things take, in seconds. */
  histogram(description: Description & { readonly buckets?: readonly number[] }): (seconds: number, labels?: Labels) => void
  gauge(description: Gauged): void
  /** What only grows and somebody else counts. */
  total(description: Gauged): void
  /** Done before each scrape, which waits for it; it must neither throw nor take long. */
  beforeScrape(work: () => Promise<unknown>): void
  scrape(form: Form): Promise<string>
  /** To be called as the process ends: of several processes, the others go on to tell what this one counted. */
  leave(): Promise<void>
}

/** The media types, as answered. */
export const mediaTypes = { prometheus: Registry.PROMETHEUS_CONTENT_TYPE, openmetrics: Registry.OPENMETRICS_CONTENT_TYPE } as const

const latencyBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
// Should a label ever come from outside all the same, it cannot fill the memory. Far more than there are templates of routes.
const maxValues = 500

/** Makes them, with those of the process itself under the names that prom-client gives everywhere. */
export const createMetrics = (): Metrics => {
  const registry: Registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const works: (() => Promise<unknown>)[] = []
  const scrape = async (form: Form) => {
    await Promise.all(works.map(work => work()))
    // One registry tells both forms, which its type does not say.
    const told: Registry<typeof Registry.PROMETHEUS_CONTENT_TYPE | typeof Registry.OPENMETRICS_CONTENT_TYPE> = registry
    told.setContentType(mediaTypes[form])
    // To tell OpenMetrics prom-client takes counters their `_total`, for good.
    const names = registry.getMetricsAsArray().map(metric => ({ metric, name: metric.name }))
    try {
      return await registry.metrics()
    } finally {
      for (const { metric, name } of names) metric.name = name
    }
  }
  let turn: Promise<unknown> = Promise.resolve()
  answerPrimary(async () => {
    await Promise.all(works.map(work => work()))
    return registry.getMetricsAsJSON()
  })
  // Services that are made a second time count on, and what is read is read of the latest.
  const known = <Kind extends object>(name: string, kind: new (...given: never[]) => Kind): Kind | undefined => {
    const metric: unknown = registry.getSingleMetric(name)
    return metric instanceof kind ? metric : undefined
  }
  return {
    counter: ({ name, help, labels = [], open }) => {
      const counter = known(name, Counter) ?? new Counter({ name, help, labelNames: [...labels], registers: [registry] })
      if (labels.length === 0) counter.inc(0)
      const bound = createBound(open)
      return (given = {}, by = 1) => counter.inc(bound(given), by)
    },
    histogram: ({ name, help, labels = [], open, buckets = latencyBuckets }) => {
      const histogram = known(name, Histogram) ?? new Histogram({ name, help, labelNames: [...labels], buckets: [...buckets], registers: [registry] })
      const bound = createBound(open)
      return (seconds, given = {}) => histogram.observe(bound(given), seconds)
    },
    gauge: ({ name, help, labels = [], together = 'sum', read }) => {
      const collect = function (this: Gauge) {
        this.reset()
        for (const { labels, value } of read()) this.set(labels ?? {}, value)
      }
      registry.removeSingleMetric(name)
      new Gauge({ name, help, labelNames: [...labels], aggregator: together, registers: [registry], collect })
    },
    total: ({ name, help, labels = [], together = 'sum', read }) => {
      const collect = function (this: Counter) {
        this.reset()
        for (const { labels, value } of read()) this.inc(labels ?? {}, value)
      }
      registry.removeSingleMetric(name)
      new Counter({ name, help, labelNames: [...labels], aggregator: together, registers: [registry], collect })
    },
    beforeScrape: work => void works.push(work),
    leave: () => tellPrimaryLast(() => registry.getMetricsAsJSON()),
    // The form is the registry's: one scrape after the other.
    scrape: form => {
      const scraped = turn.then(() => scrape(form))
      turn = scraped.catch(() => undefined)
      return scraped
    },
  }
}

// What is not open is told as it is, however much else was seen: who asks for odd things hides no failure.
const createBound = (open?: readonly string[]) => {
  const seen = new Set<string>()
  return (labels: Labels): Labels => {
    const names = open ?? Object.keys(labels)
    const key = names.map(name => labels[name]).join('\0')
    if (seen.has(key)) return labels
    if (seen.size >= maxValues) return { ...labels, ...Object.fromEntries(names.map(name => [name, 'other'])) }
    seen.add(key)
    return labels
  }
}
