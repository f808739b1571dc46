// Tells what the demo relying party does by itself, without an issuer to sign in at.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { createDemo } from '../../scripts/demo/app.ts'
import { html } from '../../scripts/demo/html.ts'
import { problemPage, signedInPage } from '../../scripts/demo/pages.ts'
import { createSessions, rememberSignIn, type SignedIn } from '../../scripts/demo/sessions.ts'

const hostile = `<script>alert('x')</script>"&`
const escaped = '&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;'

async function listen(t: ExecutionContext): Promise<{ server: Server; origin: string }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** A demo whose issuer is an address where nobody listens. */
async function makeDemo(t: ExecutionContext) {
  const gone = await listen(t)
  gone.server.close()
  const { server, origin } = await listen(t)
  const demo = createDemo({ issuer: new URL(gone.origin), origin, clientId: 'demo', clientSecret: 'secret' })
  server.on('request', demo.callback())
  const ask = (path: string, init?: RequestInit) => fetch(origin + path, { redirect: 'manual', ...init })
  return { ask, origin, issuer: gone.origin }
}

function makeSignedIn(claims: Record<string, unknown>): SignedIn {
  return {
    claims: { iss: 'http://issuer.test', sub: 'sub', aud: 'demo', iat: 0, exp: 0, ...claims } as SignedIn['claims'],
    idToken: 'id-token',
    accessToken: 'access-token',
    refreshToken: undefined,
    scope: undefined,
    accessTokenExpiresAt: undefined,
    userinfo: { picture: hostile },
  }
}

test('the home page says in a sentence that the issuer cannot be reached, and still offers to sign in', async t => {
  const { ask, issuer } = await makeDemo(t)
  const answer = await ask('/')
  const page = await answer.text()
  t.is(answer.status, 200)
  t.true(page.includes(`The issuer ${issuer} cannot be reached.`))
  t.regex(page, /<button class="primary">Sign in<\/button>/)
})

test('signing in at an unreachable issuer answers 503 with the sentence', async t => {
  const { ask, issuer } = await makeDemo(t)
  const answer = await ask('/login')
  t.is(answer.status, 503)
  t.true((await answer.text()).includes(`The issuer ${issuer} cannot be reached.`))
})

test('an issuer that starts later is found by the next request', async t => {
  const issuer = await listen(t)
  let ready = false
  issuer.server.on('request', (_request, response) => {
    const metadata = { issuer: issuer.origin, authorization_endpoint: `${issuer.origin}/oauth2/authorize`, scopes_supported: ['openid', 'email'] }
    response.writeHead(ready ? 200 : 503, { 'Content-Type': 'application/json' }).end(JSON.stringify(metadata))
  })
  const { server, origin } = await listen(t)
  server.on('request', createDemo({ issuer: new URL(issuer.origin), origin, clientId: 'demo', clientSecret: 'secret' }).callback())

  const early = await fetch(`${origin}/login`, { redirect: 'manual' })
  ready = true
  const late = await fetch(`${origin}/login`, { redirect: 'manual' })

  t.is(early.status, 503)
  t.is(late.status, 303)
  const asked = new URL(late.headers.get('location') ?? '')
  t.is(asked.origin + asked.pathname, `${issuer.origin}/oauth2/authorize`)
  t.is(asked.searchParams.get('redirect_uri'), `${origin}/callback`)
  t.is(asked.searchParams.get('scope'), 'openid email')
  t.is(asked.searchParams.get('code_challenge_method'), 'S256')
  for (const name of ['state', 'nonce', 'code_challenge']) t.truthy(asked.searchParams.get(name), name)
  t.regex(late.headers.get('set-cookie') ?? '', /httponly/i)
})

test('every page carries the same strict policy', async t => {
  const { ask, issuer } = await makeDemo(t)
  for (const path of ['/', '/login', '/callback', '/nowhere', '/style.css']) {
    const { headers } = await ask(path)
    const policy = headers.get('content-security-policy') ?? ''
    t.is(policy, `default-src 'none'; style-src 'self'; form-action 'self' ${issuer}; base-uri 'none'; frame-ancestors 'none'`, path)
    t.is(headers.get('x-content-type-options'), 'nosniff', path)
  }
})

test('a page has neither script nor inline style', async t => {
  const { ask } = await makeDemo(t)
  t.notRegex(await (await ask('/')).text(), /<script|<style|style=|onclick=/)
})

test('a callback that this browser did not start is refused and shows nothing of the query', async t => {
  const { ask } = await makeDemo(t)
  const answer = await ask(`/callback?state=unknown&error=${encodeURIComponent(hostile)}`)
  t.is(answer.status, 400)
  t.notRegex(await answer.text(), /alert\(/)
})

test('a form without a session leads back to the home page', async t => {
  const { ask } = await makeDemo(t)
  for (const path of ['/refresh', '/userinfo', '/logout']) {
    const answer = await ask(path, { method: 'POST', body: new URLSearchParams({ csrf: 'guess' }) })
    t.is(answer.status, 303, path)
    t.is(answer.headers.get('location'), '/', path)
  }
})

test('a value is escaped wherever it stands', t => {
  t.is(html`<p title="${hostile}">${hostile}</p>`.text, `<p title="${escaped}">${escaped}</p>`)
  t.is(problemPage(hostile, hostile).text.includes('<script'), false)
})

test('claims and userinfo of a hostile issuer are shown as text', t => {
  const session = createSessions().create()
  const page = signedInPage(session, makeSignedIn({ name: hostile, [hostile]: { nested: hostile } }), {}).text
  t.notRegex(page, /<script/)
  t.true(page.includes(escaped))
})

test('without a refresh token the page says no and the button is disabled', t => {
  const session = createSessions().create()
  t.regex(signedInPage(session, makeSignedIn({}), {}).text, /<button disabled>Refresh<\/button>/)
  t.regex(signedInPage(session, { ...makeSignedIn({}), refreshToken: 'token' }, {}).text, /<button>Refresh<\/button>/)
})

test('the store forgets the oldest session and the oldest pending sign-in', t => {
  const sessions = createSessions(2)
  const [first, second, third] = [sessions.create(), sessions.create(), sessions.create()]
  t.is(sessions.find(first.id), undefined)
  t.is(sessions.find(second.id), second)
  for (let index = 0; index < 7; index += 1) rememberSignIn(third, `state-${index}`, { codeVerifier: 'verifier', nonce: 'nonce' })
  t.deepEqual([...third.pending.keys()], ['state-2', 'state-3', 'state-4', 'state-5', 'state-6'])
})
