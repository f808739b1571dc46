// Walks people through pages in whatever order: each action does one thing in one tab of one browser.
import * as client from 'openid-client'
import type { SoftAuthenticator } from './authenticator.ts'
import { type Action, createGround, type Ground, pick, toldOf, uidOf } from './factor-ground.ts'
import { asksFor, hiddenOf, scan } from './factor-journeys.ts'
import { codeOf as totpOf, wrongCodeOf } from './factors.ts'
import { codeOf, linkOf } from './mails.ts'
import { redirectUri } from './relying-party.ts'
import { until } from './until.ts'

type Doing = (action: Action) => Promise<unknown>

const wrongSeed = 'JBSWY3DPEHPK3PXP'

/** Begins a walk with empty browsers. */
export const createWalk = (given: Parameters<typeof createGround>[0]) => {
  const ground = createGround(given)
  const doings = doingsOn(ground)
  return {
    count: ground.count,
    act: async (action: Action) => {
      ground.count.actions += 1
      await doings[action.kind](action)
    },
  }
}

const doingsOn = (ground: Ground): Readonly<Record<Action['kind'], Doing>> => {
  const { begin, post, look, shown } = ground
  const proofs = proving(ground)
  const mail = byMail(ground, proofs)
  return {
    open: action => begin(action),
    'sign in': async action => {
      if (!shown(action)) await begin(action)
      await proofs.identify(action)
      await proofs.enterPassword(action)
    },
    identifier: proofs.identify,
    password: proofs.enterPassword,
    'wrong password': async action => (await post(action, '/password', { password: 'not the password' }))?.go(),
    'right code': action => proofs.enterCode(action, proofs.pending(action)?.seed),
    'code of somebody': action => proofs.enterCode(action, pick(ground.people, action.who).seed),
    'wrong code': async action => (await post(action, '/second-factor', { code: wrongCodeOf(wrongSeed) }))?.go(),
    passkey: action => proofs.usePasskey(action, proofs.pending(action)?.authenticator),
    'passkey of somebody': action => proofs.usePasskey(action, pick(ground.people, action.who).authenticator),
    'save codes': async action => {
      const at = shown(action)
      if (at) await (await post(action, '/recovery-codes', { ...hiddenOf(at.page), saved: 'yes' }))?.go()
    },
    back: action => look(action, uid => `/interaction/${uid}`),
    finish: action => look(action, uid => `/oauth2/authorize/${uid}`),
    'switch account': async action => (await post(action, '/switch', {}))?.go(),
    'other browser': action => look(action, uid => `/interaction/${uid}`, 1 - action.browser),
    'code by mail': mail.code,
    'new password by mail': mail.newPassword,
    'silent request': action => begin({ ...action, tab: 9 }, { prompt: 'none' }),
    refresh: action => refresh(ground, action),
    'log out': action => logOut(ground, action),
  }
}

/** What proves something, on the pages. */
const proving = ({ server, people, oracle, count, fail, shown, post, identifiers, firstBy }: Ground) => {
  // By the first proof of the interaction in the tab, or in a step up by the session.
  const pending = (action: Action) => {
    const at = shown(action)
    const id = at && (firstBy.get(uidOf(at.page) ?? '') ?? oracle.signedIn(action.browser))
    return people.find(one => one.id === id)
  }
  const first = (action: Action, { uid, by }: { uid: string; by: 'pwd' | 'otp' }) => {
    const { id, email } = pick(people, action.who)
    if (identifiers.get(uid) !== email) return
    oracle.proveFirst(action.browser, { sub: id, by, step: count.actions })
    firstBy.set(uid, id)
  }
  return {
    pending,
    first,
    identify: async (action: Action) => {
      const { email } = pick(people, action.who)
      const sent = await post(action, '/identifier', { username: email })
      if (sent?.answer.status === 303) identifiers.set(sent.uid, email)
      await sent?.go()
    },
    enterPassword: async (action: Action) => {
      const sent = await post(action, '/password', { password: pick(people, action.who).password })
      if (sent?.answer.status === 303) first(action, { uid: sent.uid, by: 'pwd' })
      await sent?.go()
    },
    usePasskey: async (action: Action, authenticator: SoftAuthenticator | undefined) => {
      const who = pending(action)
      const asked = authenticator && (await post(action, '/second-factor/passkey/options', {}))
      if (!authenticator || asked?.answer.status !== 200) return
      const response = JSON.stringify(authenticator.get(JSON.parse(asked.answer.body)))
      const sent = await post(action, '/second-factor/passkey', { response })
      if (sent?.answer.status === 303 && who?.authenticator === authenticator) oracle.proveFactor(action.browser, who.id, 'passkey')
      await sent?.go()
    },
    enterCode: async (action: Action, seed: string = wrongSeed) => {
      const who = pending(action)
      const at = shown(action)
      const isEnrolment = at !== undefined && asksFor(at.page) === 'enrol'
      if (isEnrolment && who?.authenticator) fail('whoever has a passkey is led to enrol an app')
      const used = isEnrolment ? scan(at.page) : seed
      if (used === '') return
      await server.resources.database.pool.query('UPDATE authenticators SET counter = 0 WHERE confirmed_at IS NOT NULL')
      const sent = await post(action, isEnrolment ? '/enrol' : '/second-factor', { code: totpOf(used) })
      if (sent?.answer.status === 303 && who && isEnrolment && !who.seed) {
        who.seed = used
        oracle.enrol(who.id, count.actions)
      }
      if (sent?.answer.status === 303 && who?.seed === used) oracle.proveFactor(action.browser, who.id)
      await sent?.go()
    },
  }
}

/** What is done by mail: a code that proves, a new password that proves nothing and ends all. */
const byMail = ({ server, people, oracle, fail, personOf, shown, post, identifiers, firstBy }: Ground, { identify, first }: ReturnType<typeof proving>) => {
  const mailed = async (email: string, { subject, work }: { subject: string; work: () => Promise<unknown> }) => {
    const newest = async () => (await server.mailsTo(email)).find(mail => mail.subject.includes(subject))
    const before = (await newest())?.id
    await work()
    await until(async () => (await newest())?.id !== before)
    return (await newest()) ?? { text: '' }
  }
  return {
    code: async (action: Action) => {
      const { email } = pick(people, action.who)
      await identify(action)
      const at = shown(action)
      if (!at || identifiers.get(uidOf(at.page) ?? '') !== email || asksFor(at.page) !== 'password') return
      const mail = await mailed(email, { subject: 'sign-in code', work: async () => (await post(action, '/email-code', {}))?.go() })
      const sent = await post(action, '/code', { code: codeOf(mail) })
      if (sent?.answer.status === 303) first(action, { uid: sent.uid, by: 'otp' })
      await sent?.go()
    },
    newPassword: async (action: Action) => {
      const { id, email, password } = pick(people, action.who)
      const person = personOf(action)
      const ask = await person.get(`${server.issuer}/recovery`)
      const mail = await mailed(email, { subject: 'Choose a new password', work: () => person.submit(ask, { username: email }) })
      const form = await person.follow(await person.get(linkOf(mail)), redirectUri)
      const done = await person.submit(form, { password })
      if (done.location?.pathname !== '/recovery/done') fail('no new password')
      oracle.reset(id)
      for (const [uid, one] of firstBy) if (one === id) firstBy.delete(uid)
    },
  }
}

const refresh = async ({ kept, judge, oracle }: Ground, { browser }: Action) => {
  const known = kept.get(browser)
  if (!known) return
  kept.delete(browser)
  const refused = (error: unknown) => {
    if (error instanceof client.ResponseBodyError && error.error === 'invalid_grant') return undefined
    throw error
  }
  const tokens = await client.refreshTokenGrant(known.door.entrance.configuration, known.token).catch(refused)
  if (tokens) judge(oracle.verifyRefresh({ before: known.told, after: toldOf(tokens), epoch: known.epoch }))
}

const logOut = async ({ server, personOf, oracle }: Ground, action: Action) => {
  const person = personOf(action)
  const page = await person.get(`${server.issuer}/oauth2/logout`)
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
  await person.post(new URL('/oauth2/logout/confirm', server.issuer), { xsrf, logout: 'yes' })
  oracle.leave(action.browser)
}
