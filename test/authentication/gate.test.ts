// The gate: few work at once, some wait, one more is told to come again.
import test from 'ava'
import { createGate } from '../../src/authentication/gate.ts'

const open = () => {
  let finish = () => {}
  const done = new Promise<void>(resolve => {
    finish = resolve
  })
  return { done, finish }
}

test('no more work at once than there are places, in the order of asking', async t => {
  const gate = createGate({ places: 2, waiting: 10 })
  let running = 0
  let most = 0
  const order: number[] = []
  await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      gate(async () => {
        running += 1
        most = Math.max(most, running)
        order.push(index)
        await new Promise(resolve => setTimeout(resolve, 2))
        running -= 1
      }),
    ),
  )
  t.is(most, 2)
  t.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7])
})

test('a full gate refuses with busy and says when to come again', async t => {
  const gate = createGate({ places: 1, waiting: 1 })
  const { done, finish } = open()
  const first = gate(() => done)
  const second = gate(async () => 'second')
  await t.throwsAsync(
    gate(async () => 'third'),
    { code: 'busy' },
  )
  finish()
  await first
  t.is(await second, 'second')
  t.is(await gate(async () => 'fourth'), 'fourth')
})

test('work that fails gives its place back', async t => {
  const gate = createGate({ places: 1, waiting: 0 })
  await t.throwsAsync(gate(() => Promise.reject(new Error('failed'))))
  t.is(await gate(async () => 'next'), 'next')
})
