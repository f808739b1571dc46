// The row of signing out while a client that is to be told takes the connection and never answers.
import { createServer } from 'node:net'
import { z } from 'zod'
import type { Task } from './load.ts'
import { codeFlow, expect200 } from './sign-in.ts'
import { type Target, userScope } from './target.ts'

const administrator = { email: 'admin@authy2.local', password: 'AdminPass123!' }
// More would measure how the sign-ins in between fill the machine.
const few = 2
const signedIn = z.object({ data: z.object({ token: z.string() }) })

/** Tasks that sign in, which is not timed, and sign out, which is. */
export async function signOuts(target: Target): Promise<Task[]> {
  await nameDeadClient(target)
  return target.browsers
    .slice(0, few)
    .map(target.open)
    .map(browser => async () => {
      browser.forget()
      await codeFlow(browser, target, { scope: userScope })
      const begunAt = performance.now()
      const page = expect200(await browser.get(target.endpoints.endSession))
      const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
      const form = new URLSearchParams({ xsrf, logout: 'yes' }).toString()
      const answer = await browser.post(`${target.endpoints.endSession}/confirm`, form, { origin: browser.url.origin })
      const milliseconds = performance.now() - begunAt
      if (answer.status !== 303) throw new Error(`${answer.status} ${answer.body.slice(0, 160)}`)
      return milliseconds
    })
}

// The engine in memory has no such API, and tells nobody.
const nameDeadClient = async ({ browsers: [browser], application }: Target): Promise<void> => {
  if (!browser) throw new Error('no connection')
  const call = async (method: string, path: string, { body, token }: { body: object; token?: string }) =>
    fetch(new URL(`/api/v1${path}`, browser.url), {
      method,
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      body: JSON.stringify(body),
    })
  const answer = await call('POST', '/auth/login', { body: administrator })
  if (answer.status === 404) return
  const { token } = signedIn.parse(await answer.json()).data
  const changed = await call('PATCH', `/clients/${application.id}`, { body: { metadata: { backchannel_logout_uri: await listenDeaf() } }, token })
  if (!changed.ok) throw new Error(`${changed.status} ${await changed.text()}`)
}

const listenDeaf = async (): Promise<string> => {
  const server = createServer(() => undefined)
  server.unref()
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, 'localhost', resolve)
  await promise
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening')
  return `http://localhost:${address.port}/backchannel`
}
