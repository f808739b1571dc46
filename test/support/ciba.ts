// Backchannel authentication as its three parties do it: the client that asks, the person who answers at their account, the endpoint that is notified.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as client from 'openid-client'
import { makeClient, type TestClient } from './clients.ts'
import { enterPassword, hiddenOf } from './factor-journeys.ts'
import { type Answer, createPerson, type Person } from './person.ts'
import type { TestServer } from './server.ts'

export const cibaGrant = 'urn:openid:params:grant-type:ciba'

/** Makes a client that may ask; it polls unless told otherwise, and is not the operator's own. */
export const makeTill = (server: TestServer, { metadata, ...given }: Parameters<typeof makeClient>[1] = {}) =>
  makeClient(server, {
    name: 'Till 4',
    isFirstParty: false,
    grantTypes: [cibaGrant, 'refresh_token'],
    metadata: { backchannel_token_delivery_mode: 'poll', ...metadata },
    ...given,
  })

/** Asks for somebody. */
export const ask = ({ configuration }: TestClient, parameters: Record<string, string>) =>
  client.initiateBackchannelAuthentication(configuration, { scope: 'openid email', ...parameters })

/** Asks once whether there is an answer. */
export const redeem = ({ configuration }: TestClient, { auth_req_id }: { auth_req_id: string }) =>
  client.genericGrantRequest(configuration, cibaGrant, { auth_req_id })

/** The ids of what waits on a page, the oldest first. */
export const idsOn = ({ body }: Answer): string[] => [...body.matchAll(/name="request" value="([^"]+)"/g)].map(([, id = '']) => id)

/** Opens the page of what waits, signing in where asked. */
export async function openRequests(server: TestServer, user: { email: string; password: string }, person: Person = createPerson()) {
  const first = await person.follow(await person.get(`${server.issuer}/account/requests`), 'none:')
  const page = first.body.includes('name="username"') ? await enterPassword(person, first, user) : first
  const { csrf = '' } = hiddenOf(page).csrf === undefined ? hiddenOf(await person.get(`${server.issuer}/account/profile`)) : hiddenOf(page)
  const answer = (id: string, decision: 'approve' | 'deny') => person.post(page.url, { csrf, request: id, decision })
  return { person, page, answer }
}

/** Signs in and answers everything that waits; answers the last page. */
export async function answerAll(server: TestServer, user: { email: string; password: string }, decision: 'approve' | 'deny') {
  const { person, page, answer } = await openRequests(server, user)
  let last: Answer = page
  for (const id of idsOn(page)) last = await person.follow(await answer(id, decision), 'none:')
  return last
}

/** An endpoint that is notified. It answers with the statuses in turn, the last for ever. */
export async function listenForPings(statuses: readonly number[] = [204]) {
  const pings: { authorization: string | undefined; body: Record<string, unknown>; contentType: string | undefined }[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { authorization, 'content-type': contentType } = request.headers
    pings.push({ authorization, contentType, body: JSON.parse(Buffer.concat(chunks).toString()) })
    response.writeHead(statuses[pings.length - 1] ?? statuses.at(-1) ?? 204, { Location: 'http://localhost:1/elsewhere' }).end()
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const local = `http://localhost:${(server.address() as AddressInfo).port}`
  const origin = `https://ear-${randomUUID()}.example`
  return { url: `${origin}/ping`, standing: { origins: [origin], local }, pings, close: () => server.close() }
}
