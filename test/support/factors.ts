// Second factors of a test's own people: an authenticator app in the test's hand.
import type { ExecutionContext } from 'ava'
import { TOTP, URI } from 'otpauth'
import { systemActor } from '../../src/platform/actor.ts'
import type { UserId } from '../../src/users/user.ts'
import type { TestServer } from './server.ts'

/** The code that an app shows for a seed or an `otpauth:` address, so many steps of half a minute from now. */
export function codeOf(seed: string, steps = 0): string {
  const timestamp = Date.now() + steps * 30_000
  if (!seed.startsWith('otpauth:')) return new TOTP({ secret: seed.replaceAll(' ', '') }).generate({ timestamp })
  const app = URI.parse(seed)
  if (!(app instanceof TOTP)) throw new Error('not a time-based one')
  return app.generate({ timestamp })
}

/** A code that was certainly not shown: another than those of the moment. */
export function wrongCodeOf(seed: string): string {
  const shown = [-2, -1, 0, 1, 2].map(steps => codeOf(seed, steps))
  const candidates = ['000000', '111111', '222222', '333333', '444444', '555555']
  return candidates.find(code => !shown.includes(code)) ?? '666666'
}

/** Enrols an authenticator app for a user and confirms it. Its `code` is good for one more try, whatever was used before. */
export async function enrolTotp(server: TestServer, { id }: { id: string }) {
  const { totps, users } = server.services
  const user = await users.find(id)
  if (!user) throw new Error('there is no such user')
  const { id: factorId, uri } = await totps.enrol(systemActor, { user })
  await byCodeBefore(uri, code => totps.confirm(systemActor, { user, id: factorId, code }))
  const code = async () => {
    await server.resources.database.pool.query('UPDATE authenticators SET counter = 0 WHERE id = $1', [factorId])
    return codeOf(uri)
  }
  return { factorId, uri, code, userId: id as UserId }
}

/** Does what takes a code with that of the step before, so that the present one stays good; anew where a step ended in between. */
export const byCodeBefore = <Result>(seed: string, work: (code: string) => Promise<Result>): Promise<Result> => {
  const step = stepNow()
  return work(codeOf(seed, -1)).catch(error => {
    if (stepNow() === step) throw error
    return work(codeOf(seed, -1))
  })
}

const stepNow = () => Math.floor(Date.now() / 30_000)

/** Does the work within one step of half a minute: it is begun anew when the step ended meanwhile. */
export async function withinOneStep(t: ExecutionContext, work: (t: ExecutionContext) => Promise<void>): Promise<void> {
  for (;;) {
    const step = stepNow()
    const attempt = await t.try(work)
    if (stepNow() === step) return attempt.commit()
    attempt.discard()
  }
}
