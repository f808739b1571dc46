// Adds up the metrics of several processes, so that a count never goes back: what one counted stays when it ends.
import { AggregatorRegistry, type Registry } from 'prom-client'

/** The metrics of a process, as `getMetricsAsJSON` of prom-client tells them. */
export type Snapshot = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

/** The processes that count. */
export interface Gathering {
  /** A process that is ready to be asked. */
  join(id: number, ask: () => Promise<Snapshot>): void
  /** What a process told, whether it was asked or not. */
  hear(id: number, told: Snapshot): void
  /** It ended: what it told last of what only grows is kept. */
  leave(id: number): void
  /** What all count together, as Prometheus text; of who does not answer in time, what it told last. Who asks meanwhile hears the same. */
  tell(): Promise<string>
}

interface Member {
  readonly ask: () => Promise<Snapshot>
  last: Snapshot
}

const patienceMilliseconds = 3000

/** Makes it; nobody counts yet. */
export const createGathering = (patience = patienceMilliseconds): Gathering => {
  const members = new Map<number, Member>()
  const ended: Snapshot[] = []
  let asking: Promise<string> | undefined
  const question = async (member: Member) => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>(resolve => (timer = setTimeout(() => resolve(undefined), patience)))
    // Whoever cannot answer is told by what it said last.
    const told = await Promise.race([member.ask().catch(() => undefined), late])
    clearTimeout(timer)
    if (told) member.last = told
  }
  const all = async () => {
    await Promise.all([...members.values()].map(question))
    // Of all who ended one is made, or they would be ever more.
    if (ended.length > 1) ended.unshift(await AggregatorRegistry.aggregate(ended.splice(0)).getMetricsAsJSON())
    return AggregatorRegistry.aggregate([...ended, ...[...members.values()].map(({ last }) => last)]).metrics()
  }
  return {
    join: (id, ask) => void members.set(id, { ask, last: [] }),
    hear: (id, told) => {
      const member = members.get(id)
      if (member) member.last = told
    },
    leave: id => {
      const { last = [] } = members.get(id) ?? {}
      members.delete(id)
      if (last.length > 0) ended.push(last.filter(isGrowing))
    },
    tell: () => {
      asking ??= all().finally(() => {
        asking = undefined
      })
      return asking
    },
  }
}

const isGrowing = ({ type }: Snapshot[number]) => String(type) === 'counter' || String(type) === 'histogram'
