// The browser that the conformance suite drives: signs in and consents wherever it is asked, until the client is called or nothing is left to do.
import { fillForm } from '../../scripts/bench/forms.ts'
import type { Answer, Person } from '../support/person.ts'

interface Who {
  readonly user: { readonly email: string; readonly password: string }
  readonly redirectUri: string
}

/** What was sent to the client: in the address, or by a form that posts itself (Form Post Response Mode §2). */
export const callbackOf = (answer: Answer, redirectUri: string): { parameters: URLSearchParams; isForm: boolean } | undefined => {
  if (answer.location?.href.startsWith(redirectUri)) return { parameters: answer.location.searchParams, isForm: false }
  if (!answer.body.includes(`action="${redirectUri}"`)) return undefined
  const fields = [...answer.body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
  return { parameters: new URLSearchParams(fields.map(([, name = '', value = '']): [string, string] => [name, textOf(value)])), isForm: true }
}

/** Walks on from an answer. Without parameters the server showed a page that it does not lead on from. */
export const entered = async (person: Person, start: Answer, { user, redirectUri }: Who) => {
  const pages: Answer[] = []
  const answers = { username: user.email, password: user.password, decision: 'allow', remember: 'yes' }
  let answer = await person.follow(start, redirectUri)
  for (let step = 0; step < 8; step += 1) {
    const callback = callbackOf(answer, redirectUri)
    if (callback) return { ...callback, pages }
    pages.push(answer)
    if (!fillForm(answer.body, answers)) break
    answer = await person.follow(await person.submit(answer, answers), redirectUri)
  }
  return { parameters: undefined, isForm: false, pages }
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
const textOf = (html: string) => html.replace(/&(#?\w+);/g, (whole, name: string) => entities[name] ?? whole)
