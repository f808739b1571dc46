// bcrypt in a thread of its own: what is too slow is ended, and whoever waits for their turn loses no time.
import test from 'ava'
import { createBcrypt } from '../../src/authentication/bcrypt.ts'

const quick = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'
const ofCost = (cost: number) => `$2b$${cost}$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W`

test.serial('bcrypt that is too slow is ended with busy, and the next is answered by a new thread', async t => {
  const bcrypt = createBcrypt({ timeoutMilliseconds: 2000 })
  const [slow, next] = await Promise.allSettled([bcrypt('x', ofCost(20)), bcrypt('U*U', quick)])
  t.like(slow, { status: 'rejected', reason: { code: 'busy' } })
  t.deepEqual(next, { status: 'fulfilled', value: true })
})

test.serial('the time that bcrypt waits for its turn is not counted', async t => {
  const startedAt = performance.now()
  await createBcrypt()('x', ofCost(10))
  const bcrypt = createBcrypt({ timeoutMilliseconds: Math.ceil(4 * (performance.now() - startedAt)) })
  const count = 24
  t.deepEqual(await Promise.all(Array.from({ length: count }, () => bcrypt('x', ofCost(10)))), Array(count).fill(false))
})
