// Authentication context classes: what is asked, what holds, what is told.
import test from 'ava'
import { acrOf, askedAcr, isUnattainable, oneFactor, twoFactors, wantsSecondFactor } from '../../src/oidc/acr.ts'

const claims = (acr: unknown) => JSON.stringify({ id_token: { acr } })
const [pwd, both] = [['pwd'], ['pwd', 'otp', 'mfa']]

test('an essential claim outweighs acr_values, a voluntary one does not', t => {
  t.deepEqual(askedAcr({ acr_values: oneFactor, claims: claims({ essential: true, value: twoFactors }) }), { values: [twoFactors], isEssential: true })
  t.deepEqual(askedAcr({ acr_values: oneFactor, claims: claims({ values: [twoFactors] }) }), { values: [oneFactor], isEssential: false })
  t.deepEqual(askedAcr({ claims: claims({ values: [twoFactors] }) }), { values: [twoFactors], isEssential: false })
  for (const nothing of [{}, { claims: 'no json' }, { claims: '{"id_token":{"acr":null}}' }, { claims: claims({ essential: true }) }, undefined])
    t.deepEqual(askedAcr(nothing), { values: [], isEssential: false })
})

test('the most wanted class that can be given decides whether a second factor is wanted', t => {
  const wants = (acr_values: string, amr: string[]) => wantsSecondFactor(askedAcr({ acr_values }), amr)
  t.true(wants(twoFactors, pwd))
  t.true(wants(`phr ${twoFactors} ${oneFactor}`, pwd))
  t.false(wants(`${oneFactor} ${twoFactors}`, pwd))
  t.false(wants(twoFactors, both))
  t.false(wants('urn:example:gold', pwd))
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
