// The back-channel of a relying party: takes logout tokens at an address of its own, and answers as it is told.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'

/** What was posted, as it came. */
export interface Posted {
  readonly method: string | undefined
  readonly type: string | undefined
  readonly form: URLSearchParams
}

export type LogoutReceiver = Awaited<ReturnType<typeof startLogoutReceiver>>

/** Starts it, on a free port unless told otherwise. `answer` says with which status the how-manieth post, from 1, is answered. */
export async function startLogoutReceiver({ answer = () => 200, port = 0 }: { answer?: (time: number) => number; port?: number } = {}) {
  const posted: Posted[] = []
  const receiver = createServer(async (request, response) => {
    const form = new URLSearchParams(Buffer.concat(await request.toArray()).toString())
    posted.push({ method: request.method, type: request.headers['content-type'], form })
    response.writeHead(answer(posted.length), { 'cache-control': 'no-store' }).end()
  }).listen(port, 'localhost')
  await once(receiver, 'listening')
  return {
    uri: `http://localhost:${(receiver.address() as AddressInfo).port}/backchannel`,
    posted,
    /** The claims of what was posted, each verified as a logout token for the client (§2.6). */
    tokens: (issuer: string, clientId: string): Promise<readonly JWTPayload[]> => {
      const keys = createRemoteJWKSet(new URL(`${issuer}/oauth2/jwks`))
      const verify = async ({ form }: Posted) =>
        (await jwtVerify(form.get('logout_token') ?? '', keys, { issuer, audience: clientId, typ: 'logout+jwt', requiredClaims: ['iat', 'exp', 'jti'] }))
          .payload
      return Promise.all(posted.map(verify))
    },
    close: () => {
      receiver.close()
      receiver.closeAllConnections()
    },
  }
}
