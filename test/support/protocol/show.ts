// Shows rows of the great table: each bent request is told as the specification says, and the same without the fault succeeds.
import test, { type ExecutionContext } from 'ava'
import { plantTokens } from '../canaries.ts'
import type { Answer } from '../person.ts'
import { type Ask, bent, send } from './ask.ts'
import { isGranted, right } from './endpoints.ts'
import { type Made, make } from './made.ts'
import type { Outcome, Row } from './row.ts'
import { read } from './told.ts'

/** Registers a test for each row, over one server. */
export const showRows = (rows: readonly Row[]): void => {
  let made: Made
  test.before(async () => {
    made = await make()
  })
  test.after.always(() => made?.server.close())
  for (const row of rows) test.serial(`${row.spec} ${row.section}: ${row.at}, ${row.client}: ${row.when}: ${told(row.then)}`, t => show(t, row, made))
}

const told = (then: Outcome): string => {
  if (then.by === 'success') return 'it goes well'
  if (then.by === 'question') return 'the person is asked'
  return then.by === 'method' ? 'another method is told' : `${then.error} by ${then.by}`
}

const show = async (t: ExecutionContext, row: Row, made: Made): Promise<void> => {
  const asked = await right(row.at, made, row.client)
  const bend = typeof row.bend === 'function' ? await row.bend(made) : row.bend
  const faulty = bent(asked, bend)
  const answer = await send(faulty)
  await tell(t, { row, answer, ask: faulty, made })
  if (row.then.by === 'success') return
  const again = row.isSpent ? await right(row.at, made, row.client) : asked
  const granted = await send(again)
  t.true(await isGranted(row.at, granted, made), `without the fault: ${granted.status} ${granted.location ?? granted.body.slice(0, 300)}`)
}

const tell = async (t: ExecutionContext, { row: { then, at, says }, answer, ask, made }: { row: Row; answer: Answer; ask: Ask; made: Made }): Promise<void> => {
  const { place, params } = await read(answer, made)
  plantTokens(params)
  const seen = `«${says}»: ${answer.status} ${place} ${JSON.stringify(params)} ${place === 'page' ? answer.body.replace(/<style.*?<\/style>|<[^>]+>|\s+/gs, ' ').slice(0, 400) : ''}`
  if ('headers' in then) for (const [name, pattern] of Object.entries(then.headers ?? {})) t.regex(answer.headers.get(name) ?? '', pattern, `${name} ${seen}`)
  if (then.by === 'method') {
    t.is(answer.status, 405, seen)
    t.is(answer.headers.get('allow'), then.allow)
  } else if (then.by === 'question') t.is(place, 'question', seen)
  else if (then.by === 'success') {
    t.true(await isGranted(at, answer, made), seen)
    if (then.place) t.is(place, then.place, seen)
    for (const [name, value] of Object.entries(then.says ?? {}))
      if (value instanceof RegExp) t.regex(String(params[name]), value, seen)
      else t.deepEqual(params[name], value, `${name} ${seen}`)
  } else refusedAs(t, then, { answer, ask, place, params, seen, issuer: made.issuer })
}

interface Seen {
  readonly answer: Answer
  readonly ask: Ask
  readonly place: string
  readonly params: Readonly<Record<string, unknown>>
  readonly seen: string
  readonly issuer: string
}

const statuses = { redirect: 303, 'redirect.jwt': 303, fragment: 303, 'fragment.jwt': 303, form_post: 400, 'form_post.jwt': 400, page: 400, json: 400 } as const

const refusedAs = (t: ExecutionContext, then: Extract<Outcome, { error: string }>, { answer, ask, place, params, seen, issuer }: Seen): void => {
  t.is(place, then.by, seen)
  t.is(answer.status, then.status ?? statuses[then.by], seen)
  t.is(params.code, undefined)
  t.is(params.access_token, undefined)
  if (then.by === 'page') {
    t.regex(answer.body, new RegExp(`\\b${then.error}\\b`), seen)
    return
  }
  t.is(params.error, then.error, seen)
  // RFC 6749 §5.2 and appendix A.8: what is told of an error has these characters and no others.
  t.regex(String(params.error_description ?? ''), /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/, seen)
  if (then.by === 'json') return
  // RFC 9207 §2: also in error responses; RFC 6749 §4.1.2.1: the exact value received from the client.
  t.is(params.iss, issuer, seen)
  t.is(params.state, then.isStateless ? undefined : stateOf(ask), seen)
}

const stateOf = ({ form, requestObject }: Ask) => requestObject?.claims.state ?? form.state
