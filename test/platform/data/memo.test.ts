// The memory: each key loaded once at a time, for a moment, never a failure.
import test from 'ava'
import { createMemo } from '../../../src/platform/data/memo.ts'

const makeMemo = ({ maxEntries = 100 } = {}) => {
  const loads: string[] = []
  let at = 0
  let failing = false
  const memo = createMemo({
    ttlMilliseconds: 1000,
    maxEntries,
    now: () => new Date(at),
    load: async key => {
      loads.push(key)
      if (failing) throw new Error('out')
      return `${key} ${loads.length}`
    },
  })
  return {
    memo,
    loads,
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
