// A time has four digits for its year in UTC too.
import test from 'ava'
import { time } from '../../../src/platform/http/time.ts'

test('a time is taken in the years 1 to 9999 of UTC, with its offset', t => {
  for (const value of ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.678+09:00', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z'])
    t.true(time.safeParse(value).success, value)
})

test('a time beyond them, also one that its offset takes there, is refused', t => {
  for (const value of ['0000-12-31T23:59:59Z', '0001-01-01T00:00:00+00:01', '9999-12-31T23:59:59-00:01', '10000-01-01T00:00:00Z', 'yesterday'])
    t.false(time.safeParse(value).success, value)
})
