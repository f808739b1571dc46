// What a signature proves: every algorithm that is allowed, and of it the one certificate and the bytes that were signed.
import test from 'ava'
import { passGate } from '../../src/connectors/saml-gate.ts'
import { verifySignature } from '../../src/connectors/saml-proof.ts'
import { textOf } from '../../src/connectors/saml-xml.ts'
import { makeIdentity } from '../support/upstreams/certificate.ts'
import { type Signing, signResponse, writeResponse } from '../support/upstreams/saml-document.ts'

const [provider, other] = [makeIdentity(), makeIdentity()]
const said = {
  issuer: 'https://idp.example',
  entityId: 'https://id.example',
  callbackUrl: 'https://id.example/callback',
  requestId: '_1',
  now: new Date(),
  nameId: 'ada',
}
const make = (signing: Signing, change = (xml: string) => xml) => {
  const { assertionSignature } = passGate(change(signResponse(writeResponse(said), provider, 'assertion', signing)), 'assertion')
  if (!assertionSignature) throw new Error('There is no signature.')
  return assertionSignature
}
const methods = ['2001/04/xmldsig-more#rsa-sha256', '2001/04/xmldsig-more#rsa-sha512', '2007/05/xmldsig-more#sha256-rsa-MGF1']
const ways: readonly Signing[] = methods.flatMap(method =>
  ['sha256', 'sha512'].map(hash => ({
    signatureAlgorithm: `http://www.w3.org/${method}`,
    digestAlgorithm: `http://www.w3.org/2001/04/xmlenc#${hash}`,
  })),
)

for (const way of ways) {
  test(`a signature by ${way.signatureAlgorithm} over ${way.digestAlgorithm} proves what it signs`, t => {
    const { certificate, signed } = verifySignature(make(way), [other.certificate, provider.certificate])
    t.is(certificate, provider.certificate)
    t.is(signed.name, 'Assertion')
    t.is(signed.children.map(({ name }) => name).join(' '), 'Issuer Subject Conditions AuthnStatement')
    t.is(signed.children[1]?.children[0] && textOf(signed.children[1].children[0]), 'ada')
    t.false(signed.scope.has('samlp'))
  })

  test(`a signature by ${way.signatureAlgorithm} over ${way.digestAlgorithm} proves nothing else`, t => {
    const changed = make(way, xml => xml.replace('>ada<', '>eve<'))
    for (const attempt of [() => verifySignature(make(way), [other.certificate]), () => verifySignature(changed, [provider.certificate])]) {
      t.like(t.throws(attempt), { reason: 'signature' })
    }
  })
}
