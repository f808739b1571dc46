// Work in slices: the same results in the same order, and others have their turn in between.
import test from 'ava'
import { mapInSlices } from '../../src/platform/slices.ts'

test('results stand in the order of the items', async t => {
  t.deepEqual(await mapInSlices(['a', 'b', 'c'], (item, index) => `${item}${index}`), ['a0', 'b1', 'c2'])
  t.deepEqual(await mapInSlices([], () => 1), [])
})

test('others have their turn during long work', async t => {
  let turns = 0
  const timer = setInterval(() => {
    turns += 1
  }, 1)
  await mapInSlices(Array(60).fill(2), milliseconds => {
    const startedAt = performance.now()
    while (performance.now() - startedAt < milliseconds);
  })
  clearInterval(timer)
  t.true(turns >= 3, `${turns} turns`)
})
