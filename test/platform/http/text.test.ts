// Text that can be kept, wherever it stands inside a value.
import test from 'ava'
import { isPlainText, isTooDeep } from '../../../src/platform/http/text.ts'

test('neither U+0000 nor half of a surrogate pair is text, nor what stands for broken bytes, in a value or in a name', t => {
  for (const text of ['a\0', '\ud800', 'x\udc00y', 'a\ufffd'])
    for (const value of [text, [text], { a: { b: [1, null, text] } }, { [text]: 1 }]) t.false(isPlainText(value), JSON.stringify(value))
  for (const value of ['', '🙂', 5, null, undefined, true, { a: ['b', { c: 'd' }] }]) t.true(isPlainText(value))
})

test('a value that is nested deeper than the stack is looked through', t => {
  const nested = (inside: string) => JSON.parse(`{"a":${'['.repeat(49_000)}${inside}${']'.repeat(49_000)}}`)
  t.true(isPlainText(nested('"text"')))
  t.false(isPlainText(nested('"\\u0000"')))
})

test('a value is nested up to 64 levels deep, whatever it is made of', t => {
  const lists = (depth: number) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)
  const objects = (depth: number) => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)
  for (const value of ['text', [], {}, lists(65), objects(64)]) t.false(isTooDeep(value))
  for (const value of [lists(66), objects(65), lists(49_000), objects(2000)]) t.true(isTooDeep(value))
})
