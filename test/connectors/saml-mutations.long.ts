// Answers of a provider, changed at random after they were signed: each is refused, or says what it said.
import { randomBytes } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { createSamlConnector } from '../../src/connectors/saml.ts'
import { makeCast, post } from '../support/upstreams/saml-attack.ts'
import { signResponse, writeResponse } from '../support/upstreams/saml-document.ts'
import { makeConnection, refusalOf } from '../support/upstreams/saml-ground.ts'

const runs = 4000
const { provider } = makeCast()
const issuer = 'https://idp.example/metadata'
const connection = makeConnection({ idp_entity_id: issuer, sso_url: 'https://idp.example/sso', certificates: [provider.certificate] })
// Replays are for the database to tell; here one document is brought in thousands of forms.
const connector = createSamlConnector({ now: () => new Date(), randomBytes, acceptOnce: async () => true })
const evil = [
  '<saml:NameID>admin</saml:NameID>',
  '<saml:Assertion ID="_evil" Version="2.0">',
  '</saml:Assertion>',
  '<samlp:Extensions>',
  '<ds:Object>',
  '<!---->',
  '<?x?>',
  '<![CDATA[x]]>',
  ' ID="_evil"',
  ' xmlns:saml="urn:evil"',
  ' xmlns="urn:oasis:names:tc:SAML:2.0:assertion"',
  '&#97;',
  '&amp;',
  '\r',
  '\n',
  ' ',
  '"',
  "'",
  '>',
  '\u00a0',
]

interface Change {
  readonly kind: 'remove' | 'copy' | 'move' | 'insert' | 'swap' | 'replace'
  readonly from: number
  readonly length: number
  readonly to: number
  readonly text: string
}

const change = fc.record<Change>({
  kind: fc.constantFrom('remove', 'copy', 'move', 'insert', 'swap', 'replace'),
  from: fc.nat(),
  length: fc.integer({ min: 1, max: 12 }),
  to: fc.nat(),
  text: fc.oneof(fc.constantFrom(...evil), fc.string({ maxLength: 3 })),
})

// The document in pieces that end where a tag, a value or a text ends, so that what comes of it is often still XML.
const apply = (xml: string, { kind, from, length, to, text }: Change): string => {
  const pieces = xml.split(/(?<=>)|(?=<)|(?<=["= ])/)
  const at = from % pieces.length
  const cut = pieces.slice(at, at + length)
  const rest = [...pieces.slice(0, at), ...pieces.slice(at + length)]
  const place = to % rest.length
  const put = (list: readonly string[], index: number, more: readonly string[]) => [...list.slice(0, index), ...more, ...list.slice(index)].join('')
  if (kind === 'remove') return rest.join('')
  if (kind === 'copy') return put(pieces, to % pieces.length, cut)
  if (kind === 'move') return put(rest, place, cut)
  if (kind === 'insert') return put(pieces, at, [text])
  if (kind === 'swap') return put(rest, at, cut.toReversed())
  return put(rest, at, [text])
}

for (const signs of ['assertion', 'response', 'both'] as const) {
  test.serial(`${runs} answers with ${signs} signed and then changed sign nobody else in`, async t => {
    const wish = { state: 'state', isAgain: false }
    const { kept } = await connector.begin(connection, wish)
    const { entityId, callbackUrl } = connection
    const make = () => {
      const said = {
        issuer,
        entityId,
        callbackUrl,
        requestId: kept.id ?? '',
        now: new Date(),
        nameId: 'ada',
        attributes: { mail: 'ada@example.com', groups: ['a', 'b'] },
      }
      return signResponse(writeResponse(said), provider, signs)
    }
    const complete = async (xml: string) =>
      connector.complete(connection, { ...wish, kept, answer: post({ SAMLResponse: Buffer.from(xml).toString('base64'), RelayState: 'state' }) })
    let xml = make()
    let expected = await complete(xml)
    let madeAt = Date.now()
    const told = { refused: 0, same: 0 }
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async changes => {
        if (Date.now() - madeAt > 120_000) {
          xml = make()
          expected = await complete(xml)
          madeAt = Date.now()
        }
        const changed = changes.reduce(apply, xml)
        const identity = complete(changed)
        if (await refusalOf(identity)) told.refused += 1
        else {
          told.same += 1
          t.deepEqual(await identity, expected, changed)
        }
      }),
      { numRuns: runs },
    )
    t.log(told)
    t.true(told.refused > runs / 2)
  })
}
