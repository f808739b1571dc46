// Draws the demo's pages.
import { type Html, html } from './html.ts'
import type { Session, SignedIn } from './sessions.ts'

/** The sentence for an issuer that does not answer. */
export function unreachableSentence(issuer: URL): string {
  return `The issuer ${issuer.origin} cannot be reached. Start it with “npm start”, then try again.`
}

/** The page for a visitor; `alert` says what stands in the way of signing in. */
export function homePage(issuer: URL, notices: { notice?: string; alert?: string }): Html {
  return layout(
    'Authy2 demo',
    html`<h1>Authy2 demo</h1>
${notice(notices.notice)}${alert(notices.alert)}
<p>A small app that leaves signing in to the OpenID provider at <strong>${issuer.origin}</strong>.</p>
<form method="get" action="/login"><button class="primary">Sign in</button></form>
<p class="quiet">In development: <code>bob@acme-corp.com</code> with <code>UserPass123!</code></p>`,
  )
}

/** The page for a signed-in user: claims, userinfo, and what can be done with the tokens. */
export function signedInPage(session: Session, user: SignedIn, notices: { alert?: string }): Html {
  return layout(
    'Signed in · Authy2 demo',
    html`<h1>Signed in as ${text(user.claims.name ?? user.userinfo?.name ?? user.claims.email ?? user.userinfo?.email ?? user.claims.sub)}</h1>
${notice(session.notice)}${alert(notices.alert)}
<div class="actions">
${action('/refresh', 'Refresh', session, user.refreshToken === undefined)}
${action('/userinfo', 'Call userinfo', session)}
${action('/logout', 'Sign out', session)}
</div>
<h2>Tokens</h2>
<dl>
<dt>Refresh token</dt><dd>${user.refreshToken === undefined ? 'no' : 'yes'}</dd>
<dt>Access token ends</dt><dd>${user.accessTokenExpiresAt?.toISOString() ?? 'not told'}</dd>
<dt>Scope</dt><dd>${user.scope ?? 'as asked'}</dd>
</dl>
<h2>ID token</h2>
${claimsTable('Claims of the ID token', user.claims)}
<h2>Userinfo</h2>
${user.userinfo ? claimsTable('Claims from the userinfo endpoint', user.userinfo) : html`<p>Not called yet.</p>`}`,
  )
}

/** The page for something that went wrong, with the way back. */
export function problemPage(title: string, sentence: string): Html {
  return layout(
    `${title} · Authy2 demo`,
    html`<h1>${title}</h1>
${alert(sentence)}
<p><a href="/">Back to the start</a></p>`,
  )
}

function layout(title: string, body: Html): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`
}

const notice = (sentence: string | undefined): Html | undefined => (sentence === undefined ? undefined : html`<p role="status" class="notice">${sentence}</p>`)

const alert = (sentence: string | undefined): Html | undefined => (sentence === undefined ? undefined : html`<p role="alert" class="alert">${sentence}</p>`)

function action(path: string, label: string, session: Session, disabled = false): Html {
  return html`<form method="post" action="${path}"><input type="hidden" name="csrf" value="${session.csrf}"><button${disabled && html` disabled`}>${label}</button></form>`
}

function claimsTable(caption: string, claims: Readonly<Record<string, unknown>>): Html {
  const rows = Object.entries(claims).map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${text(value)}</td></tr>\n`)
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr><th scope="col">Claim</th><th scope="col">Value</th></tr></thead>
<tbody>
${rows}</tbody>
</table></div>`
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
