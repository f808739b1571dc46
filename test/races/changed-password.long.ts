// A password that was proven is replaced once: whoever knew the last one does not replace the next, however long theirs was on its way.
import test from 'ava'
import { password, startApi, type TestApi } from '../support/api.ts'
import { linkToken, mailTo } from '../support/mails.ts'
import { together } from '../support/race.ts'

const rounds = 5

let api: TestApi
test.before(async () => {
  api = await startApi({ API_REQUESTS_PER_MINUTE: '100000', TRUST_PROXY: '1' })
})
test.after.always(() => api?.close())

// From an address of the round's own: all six may be wrong, and one address bears thirty wrong ones.
const change = (token: string, to: string, round = 0) =>
  api.ask('POST /users/me/password', {
    token,
    headers: { 'x-forwarded-for': `198.51.100.${round}` },
    body: { current_password: password, new_password: to },
  })
const isSignedIn = async (email: string, by: string) => (await api.ask('POST /auth/login', { body: { email, password: by } })).status === 200

test.serial('of many changes that prove the same password one is made, and the others are told that it is no longer theirs', async t => {
  const person = await api.signIn()
  let made = 0
  const replies = await together(6, () => change(person.token, `a new password, number ${made++}`))
  t.is(replies.filter(({ status }) => status === 200).length, 1)
  // 503 while the one that is made takes everything else away.
  t.true(replies.every(({ status }) => [200, 400, 503].includes(status)))
  t.true(replies.filter(({ status }) => status === 400).every(({ error }) => error?.details.fields?.[0]?.path === 'current_password'))
  const winner = replies.findIndex(({ status }) => status === 200)
  t.true(await isSignedIn(person.email, `a new password, number ${winner}`))
})

test.serial('a change by the old password does not replace the one that was set by mail meanwhile', async t => {
  for (let round = 0; round < rounds; round += 1) {
    const thief = await api.signIn()
    await api.ask('POST /auth/password/forgot', { body: { email: thief.email } })
    const token = linkToken(await mailTo(api.server, thief.email, 'new password'))
    const changing = together(6, () => change(thief.token, 'what the thief would have', round + 1))
    const reset = await api.ask('POST /auth/password/reset', { body: { token, password: 'what the owner wants to have' } })
    const replies = await changing
    t.true(replies.every(({ status }) => [200, 400, 401, 503].includes(status)))
    // A change that came first may take the link along.
    t.true([200, 400].includes(reset.status))
    const where = { targetId: thief.id, action: { in: ['password.set', 'password.reset'] } }
    const set = await api.server.resources.database.prisma.auditEvent.findMany({ where, orderBy: { seq: 'asc' } })
    if (reset.status === 200) t.is(set.at(-1)?.action, 'password.reset')
    t.true(replies.filter(({ status }) => status === 200).length <= 1)
  }
})
