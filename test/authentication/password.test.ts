// Passwords: what is hashed verifies, nothing else does, and without a hash the work is the same.
import { randomBytes } from 'node:crypto'
import argon2 from 'argon2'
import test from 'ava'
import { argon2Parameters, createPasswords } from '../../src/authentication/password.ts'
import { lightHashing } from '../support/demo-filling.ts'

const passwords = createPasswords({ randomBytes })

test('a password verifies against its hash and no other does', async t => {
  const hash = await passwords.hash('correct horse battery staple')
  t.regex(hash, /^\$argon2id\$v=19\$m=47104,p=1,t=1\$|^\$argon2id\$v=19\$m=47104,t=1,p=1\$/)
  t.true(await passwords.verify('correct horse battery staple', hash))
  for (const wrong of ['correct horse battery stapl', 'correct horse battery staple ', 'Correct horse battery staple', '', '\0', 'x'.repeat(1024)])
    t.false(await passwords.verify(wrong, hash), JSON.stringify(wrong.slice(0, 30)))
})

test('one password is hashed differently each time', async t => {
  t.not(await passwords.hash('same'), await passwords.hash('same'))
})

test('a password verifies in whichever Unicode form it was typed', async t => {
  const hash = await passwords.hash('Zu\u0308rich caf\u00e9')
  t.true(await passwords.verify('Z\u00fcrich cafe\u0301', hash))
})

test('without a hash the answer is no, whatever the password', async t => {
  for (const password of ['', 'x', 'correct horse battery staple']) t.false(await passwords.verify(password, undefined))
})

test('without a hash the same work is done as with one', async t => {
  const hash = await passwords.hash('x')
  await passwords.verify('x', undefined)
  // The time that the processor worked, not that others had it.
  const work = async (known: string | undefined) => {
    const before = process.cpuUsage()
    await passwords.verify('wrong', known)
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  const known: number[] = []
  const unknown: number[] = []
  for (let round = 0; round < 15; round += 1) {
    known.push(await work(hash))
    unknown.push(await work(undefined))
  }
  const least = (spent: number[]) => Math.min(...spent)
  t.true(least(unknown) > least(known) / 2 && least(unknown) < least(known) * 2, `${least(known)} µs known, ${least(unknown)} µs unknown`)
})

test('a hash of other parameters is outdated and one of today’s is not', async t => {
  t.false(passwords.isOutdated(await passwords.hash('x')))
  t.true(passwords.isOutdated(await argon2.hash('x', { ...argon2Parameters, memoryCost: 8192 })))
  t.true(passwords.isOutdated(await argon2.hash('x', { ...argon2Parameters, timeCost: 2 })))
})

test('far more tries at once than there are places are refused with busy', async t => {
  const crowded = createPasswords({ randomBytes, hashingCost: lightHashing })
  const hash = await crowded.hash('x')
  const outcomes = await Promise.allSettled(Array.from({ length: 120 }, () => crowded.verify('wrong', hash)))
  const refused = outcomes.filter(outcome => outcome.status === 'rejected')
  t.true(refused.length > 0 && refused.length < 120)
  for (const { reason } of refused) t.is(reason.code, 'busy')
})
