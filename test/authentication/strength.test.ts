// Which passwords are taken: by length and by what is guessed first, whatever they are composed of.
import test from 'ava'
import { createVerifyStrength } from '../../src/authentication/strength.ts'
import { Problem } from '../../src/platform/errors.ts'

const personal = { email: 'ada.lovelace@people.example', name: 'Ada Lovelace' }
const isTaken = (password: string, { minLength = 12, host = 'login.initech.example' } = {}) => {
  try {
    createVerifyStrength({ minLength, host })(password, { path: 'password', personal })
    return true
  } catch (error) {
    if (error instanceof Problem && error.code === 'validation_failed' && error.fields?.[0]?.path === 'password') return false
    throw error
  }
}

test('a password has as many code points as the setting asks for, and at most 256', t => {
  const good = 'grey otters sing in the rain and every one of them knows the words'
  for (const minLength of [8, 12, 15, 64]) {
    t.false(isTaken(good.slice(0, minLength - 1), { minLength }))
    t.true(isTaken(good.slice(0, minLength), { minLength }))
  }
  t.false(isTaken('🦦🐳🦔🐝🐙🦉🐢', { minLength: 8 }))
  t.true(isTaken('🦦🐳🦔🐝🐙🦉🐢🐌', { minLength: 8 }))
  t.true(isTaken(good.repeat(5).slice(0, 256)))
  t.false(isTaken(good.repeat(5).slice(0, 257)))
})

test('what is common, a sequence or one’s own is refused', t => {
  for (const password of ['password1234', 'PASSWORD1234', 'abcdefghijkl', '000000000000', 'xyzxyzxyzxyz', 'AdaLovelace12', 'ada.lovelace@people.example1'])
    t.false(isTaken(password), password)
})

test('the name of the product and of the host are refused like one’s own', t => {
  for (const password of ['authy2authy2', 'Authy2Authy2!', 'initech-initech', 'login.initech.example', 'Initech2026!', 'LoginInitech1'])
    t.false(isTaken(password), password)
  t.false(isTaken('localhost1234', { host: 'localhost' }))
  for (const password of ['initech otters', 'authy2 is not enough of it', 'examples are good']) t.true(isTaken(password), password)
})
