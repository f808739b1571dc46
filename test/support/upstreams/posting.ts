// A provider that is asked and answers by forms that the browser posts, as those of SAML do; it believes whatever the form says.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import type { Connector } from '../../../src/connectors/connector.ts'
import { Problem } from '../../../src/platform/errors.ts'
import { readForm } from './form.ts'

/** Makes the kind of provider; it stands at `action`. */
export const createPosting = (action: string): Connector<unknown, unknown> => ({
  id: 'posting',
  name: 'Posting',
  settings: z.looseObject({}),
  secrets: z.looseObject({}),
  authorityOf: () => '',
  begin: async ({ callbackUrl }, { state }) => ({
    form: { action, fields: { SAMLRequest: '"><script>alert(1)</script>', RelayState: state, callback: callbackUrl } },
    kept: { request: 'one' },
  }),
  complete: async (_connection, { state, kept, answer }) => {
    const fields = new URLSearchParams(answer.body)
    if (fields.get('RelayState') !== state || kept.request !== 'one' || answer.method !== 'POST') throw new Problem('upstream_answer_invalid')
    const email = fields.get('SAMLResponse') ?? ''
    return { subject: email, email, isEmailVerified: true, claims: {} }
  },
  test: async () => [],
  describe: ({ entityId }) => ({ type: 'application/samlmetadata+xml', body: `<EntityDescriptor entityID="${entityId}"/>` }),
})

/** Starts its server, on another site than ours; its page asks who is there and posts the answer. */
export async function startPosting() {
  const server = createServer(async (request, response) => {
    const fields = await readForm(request)
    const hidden = `<input type="hidden" name="RelayState" value="${fields.get('RelayState')}">`
    const form = `<form method="post" action="${fields.get('callback')}">${hidden}<input name="SAMLResponse" aria-label="Address"><button>Sign in</button></form>`
    response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html><title>Posting</title>${form}`)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    action: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sso`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
