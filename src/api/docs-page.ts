// The OpenAPI document as a page for people: no script, nothing from outside.
import type { OpenApi, Operation } from './openapi.ts'

/** The page's one style element, whose hash the content policy names. */
export const docsStyle = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:60rem;margin:2rem auto;padding:0 1rem}
code,pre{font-family:ui-monospace,monospace;font-size:.9em}pre{overflow:auto;padding:.75rem;border:1px solid #8886;border-radius:6px}
summary{cursor:pointer;padding:.4rem 0}summary code{font-weight:600}.permission{opacity:.75}nav a{margin-right:1rem}`

/** Renders it. */
export const docsPage = (document: OpenApi): string => {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))]
  const sections = tags.map(tag => {
    const own = operations.filter(({ operation }) => operation.tags.includes(tag))
    return `<h2 id="${escaped(tag)}">${escaped(tag)}</h2>${own.map(rendered).join('')}`
  })
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Management API</title><style>${docsStyle}</style></head>
<body><h1>Management API</h1><p>Made from the schemas that validate every request. As a document: <a href="/api/openapi.json">OpenAPI 3.1</a>.</p>
<nav>${tags.map(tag => `<a href="#${escaped(tag)}">${escaped(tag)}</a>`).join('')}</nav>${sections.join('')}
<h2 id="permissions">Permissions</h2><pre>${escaped(JSON.stringify(document['x-permissions'], undefined, 2))}</pre></body></html>`
}

const rendered = ({ path, method, operation }: { path: string; method: string; operation: Operation }) => {
  const { summary, operationId, ...rest } = operation
  const { tags: _tags, responses, security: _security, ...asked } = rest
  const permission = typeof operation['x-permission'] === 'string' ? operation['x-permission'] : 'anybody'
  return `<details id="${escaped(operationId)}"><summary><code>${escaped(`${method} ${path}`)}</code> ${escaped(summary)} <span class="permission">${escaped(permission)}</span></summary>
<h3>Takes</h3><pre>${escaped(JSON.stringify(asked, undefined, 2))}</pre><h3>Answers</h3><pre>${escaped(JSON.stringify(firstAnswer(responses), undefined, 2))}</pre></details>`
}

// Integer keys stand first and in order, so the kept answer is the first.
const firstAnswer = (responses: unknown) =>
  typeof responses === 'object' && responses !== null ? Object.fromEntries(Object.entries(responses).slice(0, 1)) : {}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escaped = (text: string) => text.replace(/[&<>"']/g, character => entities[character] ?? character)
