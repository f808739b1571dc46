// A database of one's own in the Redis of the tests, which all of them share.
import { setTimeout as sleep } from 'node:timers/promises'
import { openRedis, type Redis } from '../../src/platform/data/redis.ts'

// Limits count by address: each server has one. The last database says who has which.
const databases = 16

/** Takes an empty database of the Redis at `url`, and waits while all are taken; closing it gives it back. */
export async function takeRedis(url: string, isTraced = false): Promise<Redis> {
  const at = (database: number) => Object.assign(new URL(url), { pathname: `/${database}` }).href
  // A test process that is kept from its turn is no outage.
  const patient = { commandTimeout: 5000 }
  const register = await openRedis(at(databases - 1), undefined, patient)
  for (;;) {
    for (let database = 0; database < databases - 1; database += 1) {
      if ((await register.client.set(`taken:${database}`, process.pid, 'PX', 300_000, 'NX')) !== 'OK') continue
      const redis = await openRedis(at(database), undefined, { ...patient, isTraced })
      await redis.client.flushdb()
      const close = async () => {
        await redis.close()
        await register.client.del(`taken:${database}`)
        await register.close()
      }
      return { ...redis, close }
    }
    await sleep(200)
  }
}
