// Processes that are killed, stopped and replaced.
import { setTimeout as sleep } from 'node:timers/promises'
import { jwtVerify } from 'jose'
import { issue, keptKeys, rotate } from '../../support/rotation.ts'
import { type Ground, underTraffic } from './ground.ts'
import type { Row } from './row.ts'

const kills = 4
const verifications = 5000
const together = 4
const maxAgeSeconds = 1

export const killedProcesses: Row = {
  name: 'kill',
  fault: 'A process is killed',
  done: `\`kill -9\` of one of three every 8 s, ${kills} times; started again at once`,
  run: () =>
    underTraffic({}, async ({ replace, passed, fault, holds, see }) => {
      const starts: number[] = []
      for (let kill = 0; kill < kills; kill += 1) {
        const begun = performance.now()
        await fault(() => replace(kill % 3, 'SIGKILL'))
        starts.push((performance.now() - begun) / 1000)
        await sleep(Math.max(0, 8000 - (performance.now() - begun)))
      }
      const failed = passed.filter(({ failure }) => failure !== undefined)
      holds(failed.length <= passed.length * 0.005, `${failed.length} of ${passed.length} requests failed`)
      holds(
        failed.every(({ failureAgain }) => failureAgain === undefined),
        'a second try failed',
      )
      see(`the other two went on; ready again after at most ${Math.max(...starts).toFixed(1)} s`)
    }),
}

export const stoppedProcesses: Row = {
  name: 'stop',
  fault: 'Processes are stopped and replaced in turn',
  done: '`SIGTERM` to each of three, twice',
  run: () =>
    underTraffic({}, async ({ replace, passed, fault, holds, see }) => {
      const codes: (number | null)[] = []
      for (const at of [0, 1, 2, 0, 1, 2]) {
        await fault(async () => codes.push(await replace(at, 'SIGTERM')))
        await sleep(1000)
      }
      holds(
        codes.every(code => code === 0),
        `exit codes ${codes}`,
      )
      holds(
        passed.every(({ failure }) => failure === undefined),
        'a request failed',
      )
      see('every process left with exit code 0')
    }),
}

export const rotatedKeys: Row = {
  name: 'keys',
  fault: 'Keys are rotated while processes are replaced',
  done: `two rotations and a replaced process of three, twice; ${verifications} tokens verified against a key set that is kept as long as it may be`,
  run: () =>
    underTraffic({ settings: { JWKS_MAX_AGE_SECONDS: String(maxAgeSeconds) } }, async ground => {
      const { replace, passed, fault, holds, see } = ground
      const verifying = verify(ground)
      for (const at of [0, 1]) {
        await fault(() => replace(at, 'SIGTERM'))
        await rotate(ground.cluster)
      }
      const { verified, failed } = await verifying
      holds(failed.length === 0, `${failed.length} tokens did not verify: ${failed[0]}`)
      holds(
        passed.every(({ failure }) => failure === undefined),
        'a request failed',
      )
      see(`${verified} tokens verified, ${failed.length} failed`)
    }),
}

/** Issues and verifies as a resource server that fetches the key set when it is stale, and never else. */
async function verify({ calls, cluster }: Ground): Promise<{ verified: number; failed: string[] }> {
  const keys = keptKeys({ issuer: cluster.issuer, calls }, { cacheMaxAge: maxAgeSeconds * 1000, cooldownDuration: Number.MAX_SAFE_INTEGER })
  const failed: string[] = []
  let verified = 0
  const one = async () => {
    while (verified < verifications) {
      verified += 1
      const token = await issue({ calls })
      try {
        await jwtVerify(token, keys)
      } catch (error) {
        failed.push(String(error))
      }
    }
  }
  await Promise.all(Array.from({ length: together }, one))
  return { verified, failed }
}
