// Redis that restarts, forgets and hangs.
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { RedisServer } from '../../support/redis-server.ts'
import { type Ground, underTraffic } from './ground.ts'
import type { Row } from './row.ts'

export const restartedRedis: Row = {
  name: 'redis-restart',
  fault: 'Redis is killed and comes back empty, or is emptied',
  done: '`kill -9` three times, 2 s each, then `FLUSHALL` twice',
  run: () =>
    underTraffic({ size: 2 }, async ground => {
      const server = redisOf(ground)
      for (let time = 0; time < 3; time += 1) {
        await ground.fault(async () => {
          await server.stop('SIGKILL')
          await sleep(2000)
          await server.start()
        })
        await sleep(4000)
      }
      const client = new Redis(server.url)
      for (let time = 0; time < 2; time += 1) {
        await client.flushall()
        await sleep(2000)
      }
      client.disconnect()
      verifyPassing(ground)
    }),
}

export const hungRedis: Row = {
  name: 'redis-hang',
  fault: 'Redis answers nothing',
  done: '`SIGSTOP` for 10 s, twice',
  run: () =>
    underTraffic({ size: 2 }, async ground => {
      const server = redisOf(ground)
      for (let time = 0; time < 2; time += 1) {
        await ground.fault(async () => {
          server.signal('SIGSTOP')
          await sleep(10_000)
          server.signal('SIGCONT')
        })
        await sleep(5000)
      }
      verifyPassing(ground)
    }),
}

/** What needs Redis may fail, and nothing else; all of it well within ten seconds, and no process left. */
function verifyPassing({ passed, processes, holds }: Ground): void {
  const others = passed.filter(({ kind, failure }) => failure !== undefined && !isOfRedis(kind, failure))
  holds(others.length === 0, `what needs no Redis failed: ${others[0]?.kind} ${others[0]?.failure}`)
  holds(
    passed.every(({ kind, milliseconds }) => kind === 'sign_in' || milliseconds < 6000),
    'a request took six seconds',
  )
  holds(
    processes.every(one => one.isRunning()),
    'a process left',
  )
}

/** The API counts its requests in Redis; interactions and codes live there, and a code that is lost is refused. */
const isOfRedis = (kind: string, failure: string): boolean => kind === 'sign_in' || kind === 'create' || /temporarily_unavailable|invalid_grant/.test(failure)

function redisOf({ cluster }: Ground): RedisServer {
  if (!cluster.redis) throw new Error('there is no Redis')
  return cluster.redis
}
