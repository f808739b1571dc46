// A person at a browser without JavaScript: cookies, redirects and forms over real HTTP.
import { fillForm } from '../../scripts/bench/forms.ts'

/** What came back. */
export interface Answer {
  readonly url: URL
  readonly status: number
  readonly headers: Headers
  readonly location: URL | undefined
  readonly body: string
}

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
}

export type Person = ReturnType<typeof createPerson>

/** Opens a browser with an empty cookie jar. */
export function createPerson(headers: Record<string, string> = {}) {
  const jar = new Map<string, Cookie>()

  const send = async (url: URL, init: RequestInit = {}): Promise<Answer> => {
    const cookie = [...jar.values()]
      .filter(({ path }) => url.pathname.startsWith(path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { accept: 'text/html', ...headers, ...(cookie ? { cookie } : {}), ...init.headers },
    })
    for (const line of response.headers.getSetCookie()) keep(jar, line)
    const location = response.headers.get('location')
    return {
      url,
      status: response.status,
      headers: response.headers,
      location: location === null ? undefined : new URL(location, url),
      body: await response.text(),
    }
  }

  const get = (url: string | URL) => send(new URL(url))

  const post = (url: URL, form: URLSearchParams | Record<string, string>, extra: Record<string, string> = {}) =>
    send(url, {
      method: 'POST',
      body: new URLSearchParams(form).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: url.origin, ...extra },
    })

  /** Follows redirects until a page, or until an address that starts with `until`. */
  const follow = async (start: Answer, until: string): Promise<Answer> => {
    let answer = start
    for (let step = 0; step < 12 && answer.location && !answer.location.href.startsWith(until); step += 1) answer = await get(answer.location)
    return answer
  }

  /** Fills in the form of a page that has one of these fields, and sends it. Throws when there is none. */
  const submit = async (page: Answer, values: Record<string, string>): Promise<Answer> => {
    const form = fillForm(page.body, values)
    if (!form)
      throw new Error(
        `no form with ${Object.keys(values)} at ${page.url.pathname}: ${page.status} ${page.body.replace(/<style.*?<\/style>|<[^>]+>|\s+/gs, ' ').slice(0, 300)}`,
      )
    return post(new URL(form.action, page.url), form.body)
  }

  /** Sends the form that contains `marker`, such as its address or a hidden field, with what the page put into it. */
  const press = async (page: Answer, marker: string): Promise<Answer> => {
    const [form] = [...page.body.matchAll(/<form\b.*?<\/form>/gis)].map(([whole]) => whole).filter(whole => whole.includes(marker))
    const named = /\bname="([^"]+)"/.exec(form ?? '')?.[1] ?? ''
    const filled = fillForm((form ?? '').replaceAll('type="hidden"', ''), { [named]: '' })
    if (!form || !filled) throw new Error(`no form with ${marker} at ${page.url.pathname}: ${page.status}`)
    const hidden = [...form.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value])
    return post(new URL(filled.action, page.url), Object.fromEntries(hidden))
  }

  /** Signs in and consents wherever asked, until the client's redirect URI; answers that address. */
  const authorize = async (
    url: URL,
    { email, password, redirectUri, decision = 'allow' }: { email: string; password: string; redirectUri: string; decision?: 'allow' | 'deny' },
  ): Promise<URL> => {
    const answers = { username: email, password, decision, remember: 'yes' }
    let answer = await follow(await get(url), redirectUri)
    for (let step = 0; step < 6 && !answer.location; step += 1) answer = await follow(await submit(answer, answers), redirectUri)
    if (!answer.location) throw new Error(`did not come back: ${answer.status} at ${answer.url}`)
    return answer.location
  }

  return { get, post, send, follow, submit, press, authorize, cookies: jar }
}

function keep(jar: Map<string, Cookie>, line: string): void {
  const [pair = '', ...attributes] = line.split(';')
  const equals = pair.indexOf('=')
  const told = new Map(attributes.map(attribute => attribute.trim().split('=', 2)).map(([key = '', value = '']) => [key.toLowerCase(), value]))
  const cookie = { name: pair.slice(0, equals), value: pair.slice(equals + 1), path: told.get('path') ?? '/' }
  const isEnded = cookie.value === '' || Date.parse(told.get('expires') ?? '') < Date.now()
  if (isEnded) jar.delete(`${cookie.name} ${cookie.path}`)
  else jar.set(`${cookie.name} ${cookie.path}`, cookie)
}
