// User codes of devices are short, so guessing them is bounded: by address, and by all addresses together (RFC 8628 §5.1).
import type { Context, Middleware } from 'koa'
import { Problem } from '../platform/errors.ts'
import { addressKey, type Limit, type MakeLimit } from '../platform/http/limit.ts'
import { at, paths } from './paths.ts'

const wrongCodes = new WeakSet<object>()

/** Notes that the code which this request tried is nobody's. */
export const noteWrongUserCode = (ctx: Pick<Context, 'req'> | undefined): void => {
  if (ctx) wrongCodes.add(ctx.req)
}

/**
 * Sixty posted codes an address and ten minutes (connecting one device takes two), twenty of them wrong. When three hundred wrong ones
 * came from all addresses together, each address has three more an hour: who guesses from many addresses gets hardly any tries, and who
 * has a code still connects their device. Throws `too_many_attempts`.
 */
export const createDeviceLimit = (limit: MakeLimit): Middleware => {
  const byAddress = limit('device:address', { points: 60, durationSeconds: 600 })
  const wrongByAddress = limit('device:wrong', { points: 20, durationSeconds: 600 })
  const wrongByAll = limit('device:wrong-all', { points: 300, durationSeconds: 600 })
  const wrongUnderAttack = limit('device:wrong-attack', { points: 3, durationSeconds: 3600 })
  return at([paths.code_verification], async (ctx: Context, next) => {
    if (ctx.method !== 'POST') return next()
    const key = addressKey(ctx.ip)
    await byAddress.consume(key)
    // Taken before the code is looked up and given back when it was right: tries that come together are all counted.
    await wrongByAddress.consume(key)
    const isUnderAttack = !(await isLeft(wrongByAll, 'all'))
    if (isUnderAttack) await wrongUnderAttack.consume(key)
    await next()
    if (wrongCodes.has(ctx.req)) return undefined
    await Promise.all([wrongByAddress.reward(key), isUnderAttack ? wrongUnderAttack.reward(key) : wrongByAll.reward('all')])
    return undefined
  })
}

const isLeft = async (budget: Limit, key: string): Promise<boolean> => {
  try {
    await budget.consume(key)
    return true
  } catch (error) {
    if (error instanceof Problem && error.code === 'too_many_attempts') return false
    throw error
  }
}
