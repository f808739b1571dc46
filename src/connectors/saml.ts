// Any SAML 2.0 identity provider: asked by redirect or form, and believed by its pinned certificates alone.
import type { SAML, SamlConfig } from '@node-saml/node-saml'
import { Problem } from '../platform/errors.ts'
import type { Configured, Connector, ConnectorNeeds, UpstreamIdentity, Wish } from './connector.ts'
import { type Expected, verifyAssertion, verifyResponse } from './saml-assertion.ts'
import { lookAt } from './saml-findings.ts'
import { type Gated, passGate, SamlStatusRefusal, saml } from './saml-gate.ts'
import { readMessage } from './saml-message.ts'
import { readMetadata } from './saml-metadata.ts'
import { writeMetadata } from './saml-own-metadata.ts'
import { nameIdFormat, readPerson } from './saml-person.ts'
import { verifySignature } from './saml-proof.ts'
import { demand, SamlRefusal } from './saml-refusal.ts'
import { type SamlSecrets, type SamlSettings, samlSecrets, samlSettings } from './saml-settings.ts'
import { childrenOf, type XmlElement } from './saml-xml.ts'

type Connection = Configured<SamlSettings, SamlSecrets>
type Answered = Parameters<Connector<SamlSettings, SamlSecrets>['complete']>[1]

const requestIdBytes = 20
// What a provider says when it knew the request and would not (SAML Core §3.2.2.2).
const refusals = ['AuthnFailed', 'NoPassive', 'RequestDenied'].map(code => `urn:oasis:names:tc:SAML:2.0:status:${code}`)

/** Makes the connector. Responses that nobody asked for are refused: there is no sign-in that begins at the provider. */
export const createSamlConnector = ({
  now,
  randomBytes,
  acceptOnce,
}: Pick<ConnectorNeeds, 'now' | 'randomBytes' | 'acceptOnce'>): Connector<SamlSettings, SamlSecrets> => {
  const identify = async (connection: Connection, { state, isAgain, kept, answer }: Answered): Promise<UpstreamIdentity> => {
    const { settings, entityId, callbackUrl } = connection
    const xml = readMessage(answer, state)
    demand(kept.id, 'unsolicited')
    const expected: Expected = {
      idpEntityId: settings.idp_entity_id,
      entityId,
      callbackUrl,
      requestId: kept.id,
      now: now(),
      ...(isAgain ? { authenticatedSince: new Date(kept.begun_at ?? '') } : {}),
    }
    const gated = passGate(xml, settings.signed)
    verifyResponse(gated.response, { ...expected, isSigned: gated.responseSignature !== undefined })
    const readAll = (assertion: XmlElement) => ({ ...verifyAssertion(assertion, expected), person: readPerson(assertion, settings, entityId) })
    // Before the engine for the reason of a refusal; what is believed is read behind it, of the signed bytes.
    readAll(gated.assertion)
    const { assertionId, until, authenticatedAt, person } = readAll(await verifySignatures(xml, gated, connection))
    demand(await acceptOnce({ connectionId: connection.connectionId, assertionId, until }), 'replayed')
    return { ...person, authenticatedAt }
  }
  return {
    id: 'saml',
    name: 'SAML',
    settings: samlSettings,
    secrets: samlSecrets,
    authorityOf: ({ idp_entity_id: idpEntityId, attributes }) => JSON.stringify([idpEntityId, attributes.subject ?? null]),
    begin: async (connection, wish) => {
      const kept = { id: `_${randomBytes(requestIdBytes).toString('hex')}`, begun_at: now().toISOString() }
      return { ...(await ask(connection, wish, kept.id)), kept }
    },
    complete: async (connection, answered) => {
      try {
        return await identify(connection, answered)
      } catch (error) {
        if (error instanceof SamlStatusRefusal && error.codes.some(code => refusals.includes(code))) throw new Problem('upstream_refused', { cause: error })
        if (error instanceof SamlRefusal) throw new Problem('upstream_answer_invalid', { cause: error })
        throw error
      }
    },
    test: async connection => lookAt(connection, now()),
    describe: connection => ({ type: 'application/samlmetadata+xml', body: writeMetadata(connection) }),
    readSettings: document => readMetadata(document, now()),
  }
}

const ask = async (connection: Connection, { state, isAgain }: Wish, id: string) => {
  const { sso_url: ssoUrl, sso_binding: binding } = connection.settings
  const { signing_key: privateKey } = connection.secrets
  const signing = privateKey === undefined ? {} : { privateKey }
  const engine = await openEngine(connection, { ...signing, forceAuthn: isAgain, generateUniqueId: () => id, skipRequestCompression: binding === 'post' })
  if (binding === 'redirect') return { redirectUrl: new URL(await engine.getAuthorizeUrlAsync(state, undefined, {})) }
  const fields = await engine.getAuthorizeMessageAsync(state)
  return { form: { action: ssoUrl, fields: Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)])) } }
}

// Gives the assertion as it was signed. The engine is dear, and is asked only about what a pinned key signed: it has to say the same.
const verifySignatures = async (xml: string, { responseSignature, assertionSignature }: Gated, connection: Connection): Promise<XmlElement> => {
  const { certificates } = connection.settings
  const response = responseSignature && verifySignature(responseSignature, certificates)
  const assertion = assertionSignature && verifySignature(assertionSignature, certificates)
  const idpCert = [response, assertion].flatMap(proof => proof?.certificate ?? [])
  const engine = await openEngine(connection, { idpCert, wantAuthnResponseSigned: response !== undefined, wantAssertionsSigned: assertion !== undefined })
  const { profile } = await engine.validatePostResponseAsync({ SAMLResponse: Buffer.from(xml).toString('base64') }).catch(error => {
    throw new SamlRefusal('signature', error)
  })
  const [signed] = assertion ? [assertion.signed] : response ? childrenOf(response.signed, saml, 'Assertion') : []
  demand(profile && signed, 'signature')
  return signed
}

// The engine is read when the first is asked of it: who has no such connection holds 3 MB less.
const openEngine = async (connection: Connection, further: Partial<SamlConfig>): Promise<SAML> => {
  const { SAML, ValidateInResponseTo } = await import('@node-saml/node-saml')
  return new SAML({ ...configure(connection), validateInResponseTo: ValidateInResponseTo.never, ...further })
}

// Everything the engine can look at is looked at, though our gate does too. The request's ID is compared by us: the engine would keep it in memory.
const configure = ({ settings, callbackUrl, entityId }: Connection): SamlConfig => ({
  callbackUrl,
  issuer: entityId,
  audience: entityId,
  entryPoint: settings.sso_url,
  idpCert: [...settings.certificates],
  idpIssuer: settings.idp_entity_id,
  identifierFormat: nameIdFormat(settings),
  disableRequestedAuthnContext: true,
  acceptedClockSkewMs: 60_000,
  maxAssertionAgeMs: 300_000,
  wantAssertionsSigned: true,
  wantAuthnResponseSigned: true,
  signatureAlgorithm: 'sha256',
  digestAlgorithm: 'sha256',
})
