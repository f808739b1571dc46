// Reads what a scrape of metrics tells.

/** A metric as it is told. */
export interface Told {
  readonly type: string
  readonly samples: readonly Sample[]
}

/** One line of it. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Reads Prometheus text: the metrics by their names. Throws at a line that is none. */
export function readScrape(text: string): ReadonlyMap<string, Told> {
  const metrics = new Map<string, { type: string; samples: Sample[] }>()
  let current: { type: string; samples: Sample[] } | undefined
  for (const line of text.split('\n')) {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? []
    if (name && type) {
      current = { type, samples: [] }
      metrics.set(name, current)
    }
    if (line === '' || line.startsWith('#')) continue
    const [, sample, labels = '', value] = /^([a-z0-9_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (!sample || !current) throw new Error(`this is no line of metrics: ${line}`)
    current.samples.push({
      name: sample,
      labels: Object.fromEntries([...labels.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, k, v]) => [k, v])),
      value: Number(value),
    })
  }
  return metrics
}

/** The sum of the samples of a name whose labels hold these. */
export function sumOf(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  return [...readScrape(text).values()]
    .flatMap(({ samples }) => samples)
    .filter(sample => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0)
}
