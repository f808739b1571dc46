import { randomBytes, randomUUID } from 'node:crypto'
import test from 'ava'
import type { Purpose } from '../../src/challenges/challenge.ts'
import { type Challenges, createChallenges } from '../../src/challenges/challenges.ts'
import type { Database } from '../../src/platform/data/database.ts'
import { createSecrets } from '../../src/platform/secrets.ts'
import { openTestDatabase } from '../support/database.ts'
import { testSecretKey } from '../support/demo-filling.ts'

let database: Database
let challenges: Challenges
test.before(async () => {
  database = await openTestDatabase()
  challenges = createChallenges({
    database,
    secrets: createSecrets({ secretKey: testSecretKey, randomBytes }),
    randomBytes,
    newId: randomUUID,
    now: () => new Date(),
  })
})
test.after.always(() => database?.close())

const issue = (given: { email?: string; purpose?: Purpose; binding?: string; ttlSeconds?: number } = {}) =>
  database.prisma.$transaction(tx => challenges.issue(tx, { email: `${randomUUID()}@example.com`, purpose: 'sign_in', ttlSeconds: 600, ...given }))
const redeem = (answer: { purpose: Purpose; token: string; binding?: string }) => database.prisma.$transaction(tx => challenges.redeemLink(tx, answer))
const another = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0')

test('a link is redeemed by one of twenty who try at once', async t => {
  const { token } = await issue()
  const found = await Promise.all(Array.from({ length: 20 }, () => redeem({ purpose: 'sign_in', token })))
  t.is(found.filter(Boolean).length, 1)
})

test('a code is redeemed by one of twenty who try at once', async t => {
  const { id, code = '' } = await issue({ binding: 'browser' })
  const answers = await Promise.all(Array.from({ length: 20 }, () => challenges.redeemCode({ purpose: 'sign_in', id, code, binding: 'browser' })))
  t.is(answers.filter(({ outcome }) => outcome === 'redeemed').length, 1)
})

test('a code bears five tries, also when twenty wrong ones come at once', async t => {
  const { id, code = '' } = await issue({ binding: 'browser' })
  const guess = another(code)
  const answers = await Promise.all(Array.from({ length: 20 }, () => challenges.redeemCode({ purpose: 'sign_in', id, code: guess, binding: 'browser' })))
  t.is(answers.filter(({ outcome }) => outcome === 'wrong').length, 5)
  t.is((await challenges.redeemCode({ purpose: 'sign_in', id, code, binding: 'browser' })).outcome, 'dead')
})

test('a code is good only in the browser that asked, with spaces and hyphens or without', async t => {
  const { id, code = '' } = await issue({ binding: 'browser' })
  t.regex(code, /^\d{6}$/)
  t.is((await challenges.redeemCode({ purpose: 'sign_in', id, code, binding: 'another' })).outcome, 'dead')
  t.is((await challenges.redeemCode({ purpose: 'sign_in', id, code: `${code.slice(0, 3)} - ${code.slice(3)}`, binding: 'browser' })).outcome, 'redeemed')
})

test('a bound link is redeemed only where it was asked for', async t => {
  const { token } = await issue({ binding: 'browser' })
  t.is(await redeem({ purpose: 'sign_in', token }), undefined)
  t.is(await redeem({ purpose: 'sign_in', token, binding: 'another' }), undefined)
  t.truthy(await redeem({ purpose: 'sign_in', token, binding: 'browser' }))
})

test('a challenge of one purpose is nothing for another, and nothing once it expired', async t => {
  const { token } = await issue({ purpose: 'email_verification' })
  t.is(await redeem({ purpose: 'password_reset', token }), undefined)
  t.is((await challenges.find('email_verification', token))?.purpose, 'email_verification')
  const late = await issue({ ttlSeconds: -1 })
  t.is(await challenges.find('sign_in', late.token), undefined)
  t.is(await redeem({ purpose: 'sign_in', token: late.token }), undefined)
})

test('a newer challenge voids the older one of the same address, but not that of another browser', async t => {
  const email = `${randomUUID()}@example.com`
  const first = await issue({ email, purpose: 'password_reset' })
  const second = await issue({ email, purpose: 'password_reset' })
  t.is(await redeem({ purpose: 'password_reset', token: first.token }), undefined)
  t.truthy(await redeem({ purpose: 'password_reset', token: second.token }))
  const mine = await issue({ email, binding: 'mine' })
  await issue({ email, binding: 'stranger' })
  t.truthy(await redeem({ purpose: 'sign_in', token: mine.token, binding: 'mine' }))
})

test('neither the secret of the link nor the code stands in the database', async t => {
  const { id, token, code = '' } = await issue({ binding: 'browser' })
  const row = await database.prisma.challenge.findUniqueOrThrow({ where: { id } })
  const told = JSON.stringify({ ...row, tokenHash: row.tokenHash && Buffer.from(row.tokenHash).toString('latin1'), id: '', userId: '', email: '' })
  t.false(told.includes(token))
  t.false(told.includes(`"${code}"`))
})
