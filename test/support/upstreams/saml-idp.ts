// A real SAML identity provider of the test's own: it reads our request, asks nobody, and posts the answer that a test wants.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Answer, Begun } from '../../../src/connectors/connector.ts'
import { escapeHtml } from '../../../src/platform/markup.ts'
import { base64Of, type Identity, makeIdentity } from './certificate.ts'
import { type Said, type Signs, writeResponse, writeStatus } from './saml-document.ts'
import { samlify } from './saml-libraries.ts'

/** What the provider answers; tests change it in place. */
export interface SamlAnswer {
  nameId: string
  nameIdFormat?: string
  attributes: Record<string, string | readonly string[]>
  signs: Signs
  /** Status codes without their prefix, such as `['Responder', 'AuthnFailed']`: then nobody is signed in. */
  status?: readonly string[]
  /** How far its clock is ahead of ours. */
  clockAheadSeconds: number
  /** Changes what it says before it is signed. */
  say?: (said: Said) => Said
  /** Changes the document before it is signed. */
  prepare?: (xml: string) => string
  /** Changes the document after it was signed: for attacks. */
  alter?: (xml: string) => string
}

/** A request as the provider read it. */
export interface SamlRequest {
  readonly id: string
  readonly issuer: string
  readonly callbackUrl: string
  readonly relayState: string
  readonly binding: 'redirect' | 'post'
  readonly xml: string
}

// The engine under test is another library; this one checks its requests, except for a schema validator that it leaves to whoever uses it.
samlify.setSchemaValidator({ validate: async () => 'ok' })

/** Starts it on a free port. With the metadata of a service provider it takes signed requests of that one alone. */
export async function startSamlIdp(given: { readonly identity?: Identity; readonly serviceProvider?: () => string } = {}) {
  let identity = given.identity ?? makeIdentity({ name: 'idp' })
  const answer: SamlAnswer = { nameId: 'upstream-1', attributes: {}, signs: 'both', clockAheadSeconds: 0 }
  const requests: SamlRequest[] = []
  const server = createServer((request, response) => {
    serve(request).then(
      html => end(response, 200, html),
      error => end(response, 500, String(error)),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const entityId = `${url}/metadata`
  const ssoUrl = `${url}/sso`
  const makeIdp = () =>
    samlify.IdentityProvider({
      entityID: entityId,
      privateKey: identity.privateKey,
      signingCert: identity.certificate,
      requestSignatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
      isAssertionEncrypted: false,
      wantAuthnRequestsSigned: given.serviceProvider !== undefined,
      // It says so on the console where it has none.
      singleLogoutService: [{ Binding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect', Location: `${url}/slo` }],
      singleSignOnService: ['HTTP-Redirect', 'HTTP-POST'].map(binding => ({ Binding: `urn:oasis:names:tc:SAML:2.0:bindings:${binding}`, Location: ssoUrl })),
    })

  const serve = async (request: IncomingMessage): Promise<string> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', url)
    if (pathname === '/metadata') return makeIdp().getMetadata()
    const sp = samlify.ServiceProvider(given.serviceProvider ? { metadata: given.serviceProvider() } : {})
    const sent = request.method === 'POST' ? new URLSearchParams(await bodyOf(request)) : searchParams
    const octetString = (request.url ?? '').replace(/^[^?]*\?|&Signature=.*$/g, '')
    const read = await readRequest(makeIdp(), sp, sent, request.method === 'POST' ? undefined : octetString)
    requests.push(read)
    const document = await write(read)
    const fields = { SAMLResponse: Buffer.from(document).toString('base64'), RelayState: read.relayState }
    const inputs = Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`)
    return `<!doctype html><form method="post" action="${escapeHtml(read.callbackUrl)}">${inputs.join('')}<button>Continue</button></form>`
  }

  const write = async (read: SamlRequest): Promise<string> => {
    const { nameId, nameIdFormat, attributes, signs, say = (said: Said) => said, prepare = asItIs, alter = asItIs } = answer
    const now = new Date(Date.now() + answer.clockAheadSeconds * 1000)
    const said = say({ issuer: entityId, entityId: read.issuer, callbackUrl: read.callbackUrl, requestId: read.id, now, nameId, nameIdFormat, attributes })
    if (answer.status) return alter(writeStatus(said, answer.status))
    const sp = samlify.ServiceProvider({
      entityID: read.issuer,
      wantAssertionsSigned: signs !== 'response',
      wantMessageSigned: signs !== 'assertion',
      signatureConfig: { prefix: 'ds', location: { reference: "/*[local-name(.)='Response']/*[local-name(.)='Issuer']", action: 'after' } },
      assertionConsumerService: [{ Binding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST', Location: read.callbackUrl }],
    })
    const xml = prepare(writeResponse(said))
    const { context } = await makeIdp().createLoginResponse(sp, {}, 'post', {}, { customTagReplacement: () => ({ id: read.id, context: xml }) })
    return alter(Buffer.from(String(context), 'base64').toString())
  }

  return {
    url,
    entityId,
    ssoUrl,
    answer,
    requests,
    certificate: () => identity.certificate,
    metadata: () => makeIdp().getMetadata(),
    /** The settings of a connection to it. */
    settings: () => ({ idp_entity_id: entityId, sso_url: ssoUrl, certificates: [base64Of(identity.certificate)] }),
    /** Signs with another key from now on. */
    rollOver: (next: Identity) => {
      identity = next
    },
    /** Goes where a sign-in begins, as a browser does, and gives what the browser would bring back. */
    signIn: async ({ redirectUrl, form }: Pick<Begun, 'redirectUrl' | 'form'>): Promise<Answer & { readonly action: string; readonly body: string }> => {
      const page = form ? await fetch(form.action, { method: 'POST', body: new URLSearchParams(form.fields) }) : await fetch(redirectUrl ?? '')
      const html = await page.text()
      if (page.status !== 200) throw new Error(html)
      const fields = [...html.matchAll(/name="([^"]*)" value="([^"]*)"/g)].map(([, name = '', value = '']): [string, string] => [name, unescapeHtml(value)])
      const action = unescapeHtml(/action="([^"]*)"/.exec(html)?.[1] ?? '')
      return { method: 'POST', query: '', body: new URLSearchParams(fields).toString(), action }
    },
    close: () => new Promise<void>(resolve => server.close(() => resolve())),
  }
}

/** A provider that was started. */
export type SamlIdp = Awaited<ReturnType<typeof startSamlIdp>>

const asItIs = (xml: string) => xml
const unescapeHtml = (text: string) =>
  text.replaceAll('&#34;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')

// By redirect, what is signed are the parameters as they were written.
const readRequest = async (
  idp: ReturnType<typeof samlify.IdentityProvider>,
  sp: object,
  sent: URLSearchParams,
  octetString: string | undefined,
): Promise<SamlRequest> => {
  const fields = Object.fromEntries(sent)
  const binding = octetString === undefined ? 'post' : 'redirect'
  const { extract, samlContent } = await idp.parseLoginRequest(sp, binding, octetString === undefined ? { body: fields } : { query: fields, octetString })
  const { id = '', assertionConsumerServiceUrl: callbackUrl = '' } = extract.request
  return { id, issuer: extract.issuer, callbackUrl, relayState: fields.RelayState ?? '', binding, xml: samlContent }
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const end = (response: ServerResponse, status: number, html: string) => {
  response.writeHead(status, { 'content-type': html.startsWith('<!') ? 'text/html' : 'text/xml' })
  response.end(html)
}
