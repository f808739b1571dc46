// The memory: each key loaded once at a time, for a moment, never a failure.
import test from 'ava'
import type { ChangedTarget } from '../../../src/platform/data/change-feed.ts'
import { createMemo } from '../../../src/platform/data/memo.ts'

const makeMemo = ({ maxEntries = 100, isCurrent = false } = {}) => {
  const loads: string[] = []
  let listener: (target: ChangedTarget['target'] | undefined) => void = () => undefined
  let isHearing = isCurrent
  const feed = {
    isCurrent: () => isHearing,
    on: (_kinds: unknown, given: typeof listener) => {
      listener = given
      return () => true
    },
  }
  let at = 0
  let failing = false
  const memo = createMemo({
    ttlMilliseconds: 1000,
    maxEntries,
    now: () => new Date(at),
    ends: { feed, by: { client: ({ id }) => id } },
    load: async key => {
      loads.push(key)
      if (failing) throw new Error('out')
      return `${key} ${loads.length}`
    },
  })
  return {
    memo,
    loads,
    tell: (target: ChangedTarget['target'] | undefined) => listener(target),
    hear: (isIt: boolean) => {
      isHearing = isIt
    },
    pass: (milliseconds: number) => {
      at += milliseconds
    },
    fail: (isFailing: boolean) => {
      failing = isFailing
    },
  }
}

test('many who ask at once share one load', async t => {
  const { memo, loads } = makeMemo()
  const values = await Promise.all(Array.from({ length: 20 }, () => memo.get('a')))
  t.is(new Set(values).size, 1)
  t.deepEqual(loads, ['a'])
})

test('a value is loaded anew when its time is over, and not before', async t => {
  const { memo, pass } = makeMemo()
  t.is(await memo.get('a'), 'a 1')
  pass(999)
  t.is(await memo.get('a'), 'a 1')
  pass(1)
  t.is(await memo.get('a'), 'a 2')
})

test('after a clock is set back a value is loaded anew, for nobody knows its age, and ages as before from then on', async t => {
  for (const isCurrent of [false, true]) {
    const { memo, pass } = makeMemo({ isCurrent })
    t.is(await memo.get('a'), 'a 1')
    pass(-3_600_000)
    t.is(await memo.get('a'), 'a 2')
    t.is(await memo.get('a'), 'a 2')
    pass(10_000)
    t.is(await memo.get('a'), 'a 3')
  }
})

test('a value that is forgotten is loaded anew', async t => {
  const { memo } = makeMemo()
  await memo.get('a')
  memo.forget('a')
  t.is(await memo.get('a'), 'a 2')
})

test('a failure is told to all who asked and remembered for nobody', async t => {
  const { memo, fail } = makeMemo()
  fail(true)
  const outcomes = await Promise.allSettled([memo.get('a'), memo.get('a')])
  t.true(outcomes.every(({ status }) => status === 'rejected'))
  fail(false)
  t.is(await memo.get('a'), 'a 2')
})

test('the oldest leaves when the memory is full, and a strange key is a key like any other', async t => {
  const { memo, loads } = makeMemo({ maxEntries: 2 })
  for (const key of ['__proto__', 'constructor', 'b']) await memo.get(key)
  await memo.get('b')
  t.is(loads.length, 3)
  await memo.get('__proto__')
  t.is(loads.length, 4)
})

test('while changes are heard of a value is kept for ten seconds, and not for one when they are not', async t => {
  const { memo, pass, hear } = makeMemo({ isCurrent: true })
  t.is(await memo.get('a'), 'a 1')
  pass(9999)
  t.is(await memo.get('a'), 'a 1')
  pass(1)
  t.is(await memo.get('a'), 'a 2')
  pass(1000)
  hear(false)
  t.is(await memo.get('a'), 'a 3')
})

test('what a change ends is loaded anew, and so is all where some were missed', async t => {
  const { memo, loads, tell } = makeMemo({ isCurrent: true })
  const both = async () => [await memo.get('a'), await memo.get('b')]
  await both()
  tell({ id: 'a' })
  t.deepEqual(await both(), ['a 3', 'b 2'])
  tell({ id: null })
  t.deepEqual(await both(), ['a 4', 'b 5'])
  tell(undefined)
  await both()
  t.is(loads.length, 7)
})

test('a load under way when the change comes is not kept', async t => {
  const { memo, tell } = makeMemo({ isCurrent: true })
  const early = memo.get('a')
  tell({ id: 'a' })
  t.is(await memo.get('a'), 'a 2')
  t.is(await early, 'a 1')
  t.is(await memo.get('a'), 'a 2')
})
