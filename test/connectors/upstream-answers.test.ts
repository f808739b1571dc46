// What is told of an upstream provider's wrong answers, and to whom.
import { inspect } from 'node:util'
import test from 'ava'
import { connect, connectorsOf } from '../support/upstreams/connecting.ts'
import { startUpstream, type UpstreamPerson } from '../support/upstreams/upstream.ts'

test('the log is told why, and neither tokens nor what is said of people', async t => {
  const upstream = await startUpstream()
  t.teardown(upstream.close)
  const { issuer, client_id, client_secret } = upstream
  const connecting = connect(connectorsOf(), 'oidc', { settings: { issuer, client_id }, client_secret })
  const email = 'somebody.secret@example.com'
  const secrets: string[] = [email]
  for (const person of [
    { idToken: { nonce: 'another' } },
    { signed: 'with another key' },
    { tokens: { access_token: undefined } },
  ] satisfies UpstreamPerson[]) {
    const underway = await connecting.begin()
    const callback = await upstream.signIn(underway.url, { claims: { email }, ...person })
    secrets.push(callback.searchParams.get('code') ?? '', underway.wish.state)
    const error = await t.throwsAsync(connecting.complete(underway, callback), { code: 'upstream_answer_invalid' })
    const text = inspect(error, { depth: 20, showHidden: true })
    t.regex(text, /JWT|ID Token|access_token|signature/)
    t.notRegex(text, /eyJ/)
    for (const secret of secrets) t.false(text.includes(secret))
  }
})
