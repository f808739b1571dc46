// HTML that was composed with everything in it escaped; only what is made here passes a view unescaped.

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' }

/** A piece of HTML that is safe to write as it is. */
export class Markup {
  readonly html: string

  constructor(html: string) {
    this.html = html
  }
}

/** Escapes a value for text and for quoted attributes; {@link Markup} stays as it is, what is absent is empty. */
export const escapeHtml = (value?: unknown): string => {
  if (value instanceof Markup) return value.html
  return value === undefined || value === null ? '' : String(value).replace(/[&<>"']/g, mark => ENTITIES[mark] ?? mark)
}
