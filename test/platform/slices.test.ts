// Work in slices: the same results in the same order, and others have their turn in between.
import test from 'ava'
import { mapInSlices } from '../../src/platform/slices.ts'

test('results stand in the order of the items', async t => {
  t.deepEqual(await mapInSlices(['a', 'b', 'c'], (item, index) => `${item}${index}`), ['a0', 'b1', 'c2'])
  t.deepEqual(await mapInSlices([], () => 1), [])
})

test('others have their turn before long work goes on', async t => {
  let isElsewhere = false
  let turns = 0
  const items = Array(5).fill(15)
  await mapInSlices(items, milliseconds => {
    if (isElsewhere) turns += 1
    isElsewhere = false
    setImmediate(() => {
      isElsewhere = true
    })
    const startedAt = performance.now()
    while (performance.now() - startedAt < milliseconds);
  })
  t.is(turns, items.length - 1)
})
