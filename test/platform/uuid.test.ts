// Ids of rows: UUIDs of version 7 that begin with their time.
import { randomBytes } from 'node:crypto'
import test from 'ava'
import { z } from 'zod'
import { createUuids } from '../../src/platform/uuid.ts'

test('an id is a version 7 of its time, and they grow', t => {
  const at = new Date('2026-01-02T03:04:05.678Z')
  const newId = createUuids(randomBytes)
  const ids = Array.from({ length: 1000 }, () => newId(at))
  for (const id of ids) t.true(z.uuid({ version: 'v7' }).safeParse(id).success, id)
  t.is(Number.parseInt((ids[0] ?? '').replace('-', '').slice(0, 12), 16), at.getTime())
  t.deepEqual(ids.toSorted(), ids)
  t.is(new Set(ids).size, 1000)
})
