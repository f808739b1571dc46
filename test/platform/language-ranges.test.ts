// Which language is meant: shortened until one fits, weighed, bounded, and never by accident.
import test from 'ava'
import { acceptedRanges, askedRanges, lookUp } from '../../src/platform/language-ranges.ts'

const tags = ['ar', 'de', 'en', 'zh-Hant']

for (const [range, tag] of [
  ['de', 'de'],
  ['DE', 'de'],
  ['de-AT', 'de'],
  ['de-Latn-AT-1996', 'de'],
  ['zh-hant-tw', 'zh-Hant'],
  ['de-x-private', 'de'],
  ['zh', undefined],
  ['fi', undefined],
  ['*', undefined],
  ['', undefined],
  ['d', undefined],
  ['de_AT', undefined],
  ['../../etc', undefined],
  ['__proto__', undefined],
  ['constructor', undefined],
  ['de\0', undefined],
  [`de-${'a'.repeat(10_000)}`, undefined],
] as const)
  test(`the range ${JSON.stringify(range.slice(0, 20))} means ${tag}`, t => {
    t.is(lookUp([range], tags), tag)
  })

test('the first range that means one is taken', t => {
  t.is(lookUp(['fi', 'ar-EG', 'de'], tags), 'ar')
})

test('what is accepted is weighed, and what is refused is left out', t => {
  t.deepEqual(acceptedRanges('en;q=0.5, de-AT, fr;q=0, ar ; q=0.8, ja;q=2, es;q=x'), ['de-AT', 'ar', 'en'])
  t.deepEqual(acceptedRanges(''), [''])
  t.deepEqual(acceptedRanges(undefined), [''])
})

test('what is asked is in its own order', t => {
  t.deepEqual(askedRanges('de-AT  fr en'), ['de-AT', 'fr', 'en'])
})

test('a header is read only so far', t => {
  t.true(acceptedRanges('a,'.repeat(5000)).length <= 30)
  t.true(askedRanges('a '.repeat(5000)).length <= 30)
  t.is(lookUp(acceptedRanges(`${'x'.repeat(10_000)},de`), tags), undefined)
})
