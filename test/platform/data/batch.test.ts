// Calls of one turn share a statement: each gets its own result, and nobody another's error.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { createBatch } from '../../../src/platform/data/batch.ts'

test('the calls of one turn are one statement, and each gets its own result', async t => {
  const statements: number[][] = []
  const double = createBatch<number, number>({
    run: async items => {
      statements.push([...items])
      return items.map(item => item * 2)
    },
  })
  t.deepEqual(await Promise.all([1, 2, 3].map(double)), [2, 4, 6])
  t.deepEqual(statements, [[1, 2, 3]])
})

test('one bad row is nobody else’s error', async t => {
  const write = createBatch<string, string>({
    run: async items => {
      if (items.includes('bad')) throw new Error('bad row')
      return items.map(item => `kept ${item}`)
    },
  })
  const outcomes = await Promise.allSettled(['a', 'bad', 'b'].map(write))
  t.deepEqual(
    outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : 'refused')),
    ['kept a', 'refused', 'kept b'],
  )
})

test('two writes of one key in one turn go into two statements, in the order they were asked', async t => {
  const statements: string[][] = []
  const rows = new Map<string, number>()
  const put = createBatch<{ key: string; value: number }, void>({
    keyOf: ({ key }) => key,
    run: async items => {
      statements.push(items.map(({ key, value }) => `${key}${value}`))
      for (const { key, value } of items) rows.set(key, value)
      return items.map(() => undefined)
    },
  })
  await Promise.all([put({ key: 'a', value: 1 }), put({ key: 'a', value: 2 }), put({ key: 'b', value: 1 }), put({ key: 'a', value: 3 })])
  t.deepEqual(statements, [['a1', 'b1'], ['a2'], ['a3']])
  t.is(rows.get('a'), 3)
})

test('no statement takes more than its share, and no more than two run', async t => {
  const sizes: number[] = []
  let running = 0
  let most = 0
  const write = createBatch<number, number>({
    maxItems: 10,
    run: async items => {
      sizes.push(items.length)
      running += 1
      most = Math.max(most, running)
      await new Promise(resolve => setTimeout(resolve, 2))
      running -= 1
      return items
    },
  })
  const all = Array.from({ length: 95 }, (_, index) => index)
  t.deepEqual(await Promise.all(all.map(write)), all)
  t.true(sizes.every(size => size <= 10))
  t.is(most, 2)
})

for (const [patienceMilliseconds, expected] of [
  [60_000, [[1], [2, 3]]],
  [1, [[1], [2], [3]]],
] as const)
  test(`calls gather while a statement runs, but for no longer than ${patienceMilliseconds} ms`, async t => {
    const statements: number[][] = []
    const ends: (() => void)[] = []
    const read = createBatch<number, number>({
      patienceMilliseconds,
      run: async items => {
        statements.push([...items])
        if (!items.includes(2)) await new Promise<void>(resolve => ends.push(resolve))
        return items
      },
    })
    const calls = [read(1)]
    await sleep(20)
    calls.push(read(2))
    await sleep(20)
    calls.push(read(3))
    await sleep(20)
    for (const end of ends) end()
    t.deepEqual(await Promise.all(calls), [1, 2, 3])
    t.deepEqual(statements, expected)
  })

test('when the database is out of reach nobody waits for everybody else’s try', async t => {
  let statements = 0
  const write = createBatch<number, number>({
    run: async () => {
      statements += 1
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    },
  })
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => write(index)))
  t.true(outcomes.every(({ status }) => status === 'rejected'))
  t.is(statements, 1)
})

test('a batch goes on after an outage', async t => {
  let isOut = true
  const write = createBatch<number, number>({
    run: async items => {
      if (isOut) throw new Error('out')
      return items
    },
  })
  const outcomes = await Promise.allSettled([1, 2, 3].map(write))
  t.true(outcomes.every(({ status }) => status === 'rejected'))
  isOut = false
  t.is(await write(4), 4)
})

test('a row that somebody else holds is waited for by its own call alone', async t => {
  const write = createBatch<string, string>({
    run: async items => {
      if (items.includes('held')) throw Object.assign(new Error('canceling statement due to lock timeout'), { code: '55P03' })
      return items.map(item => `kept ${item}`)
    },
  })
  const outcomes = await Promise.allSettled(['held', 'a', 'b'].map(write))
  t.deepEqual(
    outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : 'refused')),
    ['refused', 'kept a', 'kept b'],
  )
})
