// The page by which the engine posts a form on: with script it is gone at once; without, people see it and press its button.
import { escapeHtml } from '../platform/markup.ts'

/** What the page says, and in which language. */
export interface ContinueWords {
  readonly lang: string
  readonly dir: string
  readonly title: string
  readonly heading: string
  readonly lede: string
  readonly button: string
}

/** Whose session would be replaced, and by whose: their addresses. */
export interface Switching {
  readonly current: string
  readonly next: string
}

/** Dresses the engine's page as one of ours. Its script stays as it is, for the content policy knows it by its hash. */
export const dressContinuePage = (html: string, { words, stylesheet }: { words: ContinueWords; stylesheet: string }): string => {
  const head = `<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>${escapeHtml(words.title)}</title>\n<link rel="stylesheet" href="${stylesheet}">`
  const start = `<body>\n<div class="card">\n<main>\n<h1>${escapeHtml(words.heading)}</h1>\n<p class="lede">${escapeHtml(words.lede)}</p>`
  // By functions, for in a text `$` would mean something else.
  return html
    .replace('<html>', () => `<html lang="${escapeHtml(words.lang)}" dir="${escapeHtml(words.dir)}">`)
    .replace('<title>Submitting Callback</title>', () => head)
    .replace('<body>', () => start)
    .replace(/<noscript>[\s\S]*<\/noscript>/, () => `<button class="button primary" type="submit">${escapeHtml(words.button)}</button>`)
    .replace('</body>', () => '</main>\n</div>\n</body>')
}

/** The same without its script: nobody's session is replaced by another's before they say so. */
export const withoutScript = (html: string): string => html.replace(/<script>[\s\S]*?<\/script>/, '')

/** Whether it is that page. */
export const isContinuePage = (body: unknown): body is string => typeof body === 'string' && body.includes('<title>Submitting Callback</title>')
