// Thirty random chains of exchanges: never more than at the start, and nothing outlives an ancestor. A hundred in the long test.
import test from 'ava'
import fc from 'fast-check'
import { openChains, plans } from '../support/exchange-chains.ts'

let ground: Awaited<ReturnType<typeof openChains>>
test.before(async () => {
  ground = await openChains()
})
test.after.always(() => ground?.close())

test('no chain of exchanges widens anything, and every one ends with any of its ancestors', async t => {
  let links = 0
  await fc.assert(
    fc.asyncProperty(plans, async plan => {
      links += await ground.run(plan)
    }),
    { numRuns: 30, endOnFailure: true },
  )
  // Each has one at least; most have more.
  t.true(links > 34, `${links} links`)
})
