// Authentication context classes: what is asked, what holds, what is told.
import test from 'ava'
import { acrOf, askedAcr, factorWish, isUnattainable, oneFactor, twoFactors } from '../../src/oidc/acr.ts'

const claims = (acr: unknown) => JSON.stringify({ id_token: { acr } })
const [pwd, both] = [['pwd'], ['pwd', 'otp', 'mfa']]

test('an essential claim outweighs acr_values, a voluntary one does not', t => {
  t.deepEqual(askedAcr({ acr_values: oneFactor, claims: claims({ essential: true, value: twoFactors }) }), {
    values: [twoFactors],
    isEssential: true,
    isVoluntary: false,
  })
  t.deepEqual(askedAcr({ acr_values: oneFactor, claims: claims({ values: [twoFactors] }) }), { values: [oneFactor], isEssential: false, isVoluntary: false })
  t.deepEqual(askedAcr({ claims: claims({ values: [twoFactors] }) }), { values: [twoFactors], isEssential: false, isVoluntary: true })
  for (const nothing of [{}, { claims: 'no json' }, { claims: '{"id_token":{"acr":null}}' }, { claims: claims({ essential: true }) }, undefined])
    t.deepEqual(askedAcr(nothing), { values: [], isEssential: false, isVoluntary: true })
})

test('two factors are demanded where nothing less is listed, and wished for where less is taken', t => {
  const wish = (acr_values: string) => factorWish(askedAcr({ acr_values }))
  for (const values of [twoFactors, `phr ${twoFactors}`]) t.is(wish(values), 'demand', values)
  for (const values of [`phr ${twoFactors} ${oneFactor}`, `${oneFactor} ${twoFactors}`]) t.is(wish(values), 'wish', values)
  for (const values of ['', 'urn:example:gold', oneFactor]) t.is(wish(values), 'none', values)
  const claimed = (essential: boolean, ...values: string[]) => factorWish(askedAcr({ claims: claims({ essential, values }) }))
  t.is(claimed(true, twoFactors), 'demand')
  t.is(claimed(true, twoFactors, oneFactor), 'wish')
  t.is(claimed(false, twoFactors), 'wish')
  t.is(factorWish(askedAcr({})), 'none')
})

test('only an essential class that nobody knows is unattainable', t => {
  const asks = (values: string[], essential: boolean) => isUnattainable(askedAcr({ claims: claims({ essential, values }) }))
  t.true(asks(['urn:example:gold'], true))
  t.false(asks(['urn:example:gold', oneFactor], true))
  t.false(asks(['urn:example:gold'], false))
})

test('what is told holds, and is what was asked where that holds', t => {
  const told = (amr: string[], acr_values?: string) => acrOf(amr, askedAcr({ acr_values }))
  t.is(told(pwd), oneFactor)
  t.is(told(both), twoFactors)
  t.is(told(pwd, twoFactors), oneFactor)
  t.is(told(both, oneFactor), oneFactor)
  t.is(told(both, `urn:example:gold ${twoFactors}`), twoFactors)
})
