// Finds the form of a sign-in page and fills it in, as a browser without JavaScript would.

export interface FilledForm {
  readonly action: string
  readonly body: URLSearchParams
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'", '#34': '"', '#x2F': '/' }

/** The first form that has one of `values`' names as a field; hidden fields keep what the page put there. */
export function fillForm(page: string, values: Readonly<Record<string, string>>): FilledForm | undefined {
  for (const [, attributes = '', content = ''] of page.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gis)) {
    const fields = [...content.matchAll(/<(?:input|button|select)\b([^>]*)>/gi)].map(([, field = '']) => field)
    const named = fields.flatMap(field => {
      const name = attribute(field, 'name')
      return name === undefined ? [] : [{ name, value: attribute(field, 'value') ?? '', isHidden: attribute(field, 'type') === 'hidden' }]
    })
    if (!named.some(({ name, isHidden }) => name in values && !isHidden)) continue
    const body = new URLSearchParams()
    for (const { name, value, isHidden } of named) {
      if (isHidden) body.set(name, value)
      else if (name in values) body.set(name, values[name] ?? '')
    }
    return { action: attribute(attributes, 'action') ?? '', body }
  }
  return undefined
}

function attribute(tag: string, name: string): string | undefined {
  const [, double, single] = new RegExp(`\\b${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, 'i').exec(tag) ?? []
  return (double ?? single)?.replace(/&(#?\w+);/g, (whole, entity: string) => entities[entity] ?? whole)
}
