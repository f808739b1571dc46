// Forty-five random chains of exchanges: never more than at the start, and nothing outlives an ancestor. A hundred in the long test.
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
    { numRuns: 45, endOnFailure: true },
  )
  // Each has one at least; of thirty chance sometimes gave no more than forty.
  t.true(links > 50, `${links} links`)
})
