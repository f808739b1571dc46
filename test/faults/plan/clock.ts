// A process whose clock goes wrong, by libfaketime.
import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { basic, type Calls, createCalls } from '../../support/calls.ts'
import { isReady } from '../../support/process.ts'
import { lenient } from '../../support/race.ts'
import { alice, createRelyingParty } from '../../support/relying-party.ts'
import { until } from '../../support/until.ts'
import { type Ground, underTraffic } from './ground.ts'
import type { Row } from './row.ts'

const skewed = 1

export const skewedClock: Row = {
  name: 'clock',
  fault: 'The clock of a process is wrong',
  done: 'one of three is 10 s ahead for 8 s, 90 s ahead for 8 s, 90 s behind for 8 s (libfaketime)',
  run: async () => {
    const library = globSync('/usr/lib/*/faketime/libfaketime.so.1')[0]
    if (library === undefined || !existsSync(library)) throw new Error('there is no libfaketime: apt-get install faketime')
    const home = mkdtempSync(join(tmpdir(), 'authy2-clock-'))
    const file = join(home, 'offset')
    const set = (seconds: number) => writeFileSync(file, `${seconds >= 0 ? '+' : ''}${seconds}s\n`)
    set(0)
    const fake = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    }
    try {
      return await underTraffic({ environments: (at): Readonly<Record<string, string>> => (at === skewed ? fake : {}) }, ground => goWrong(ground, set))
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  },
}

async function goWrong(ground: Ground, set: (seconds: number) => void): Promise<void> {
  const { passed, holds, fault, see } = ground
  const origin = ground.processes[skewed]?.origin ?? ''
  const alone = createCalls(ground.cluster.issuer, [origin])
  try {
    set(10)
    await sleep(8000)
    holds(await isReady(origin), 'at 10 s it is ready')
    holds(
      passed.every(({ failure }) => failure === undefined),
      'nothing fails at 10 s',
    )
    const seconds: number[] = []
    for (const offset of [90, -90]) {
      await fault(async () => {
        const begun = performance.now()
        set(offset)
        await until(async () => !(await isReady(origin)), 30)
        seconds.push((performance.now() - begun) / 1000)
        holds((await alone.call('/api/health')).body.includes('clock_skew'), 'health tells of the clock')
        if (offset < 0) holds(!(await isRefreshed(ground, alone)), 'a clock that is behind revives no refresh token')
        await sleep(8000)
        set(0)
        await until(() => isReady(origin), 30)
      })
      await sleep(2000)
    }
    see(`at 10 s nothing failed; at 90 s it was out of service after ${Math.max(...seconds).toFixed(1)} s, and back by itself`)
  } finally {
    set(0)
    await alone.close()
  }
}

/** Whether the process takes a refresh token that expired more than the tolerance ago by the database's clock. */
async function isRefreshed({ track, cluster }: Ground, alone: Calls): Promise<boolean> {
  const { tokens } = await (await createRelyingParty(track.issuer)).signIn({ who: alice })
  const client = new pg.Client(cluster.postgres.url)
  await client.connect()
  try {
    const grants = "SELECT grant_id FROM oidc_artifacts WHERE kind = 'Grant' AND account_id = $1"
    const set = `UPDATE oidc_artifacts SET expires_at = now() - interval '16 seconds' WHERE kind = 'RefreshToken' AND grant_id IN (${grants})`
    const { rowCount } = await client.query(set, [tokens.claims()?.sub])
    if (!rowCount) throw new Error('there is no refresh token to expire')
  } finally {
    await client.end()
  }
  const form = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) }
  return (await alone.post('/oauth2/token', form, { authorization: basic(lenient) })).status === 200
}
