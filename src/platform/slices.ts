// Does much work a little at a time, so that everybody else has their turn in between.
import { setImmediate as turn } from 'node:timers/promises'

const sliceMilliseconds = 10

/** Maps in order; whenever ten milliseconds were worked, others go first. */
export const mapInSlices = async <Item, Result>(items: Iterable<Item>, map: (item: Item, index: number) => Result): Promise<Result[]> => {
  const results: Result[] = []
  let since = performance.now()
  for (const item of items) {
    results.push(map(item, results.length))
    if (performance.now() - since < sliceMilliseconds) continue
    await turn()
    since = performance.now()
  }
  return results
}
