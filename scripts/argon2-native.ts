// npm run argon2:native [-- --dry-run]     builds argon2 for the processor at hand, measures both builds and keeps the faster one.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readArguments } from '../src/arguments.ts'
import { buildForProcessor, NotBuilt } from './argon2/build.ts'
import { installedArgon2, measureBuild } from './argon2/measure-build.ts'
import { asStarted } from './bench/as-started.ts'
import { median } from './bench/measure.ts'

const rounds = 3
// Less is within what measuring differs by.
const worthwhile = 1.05
// As servers are started.
const environment = { ...process.env, ...asStarted }

const run = (isDry: boolean): void => {
  const installed = installedArgon2()
  const folder = mkdtempSync(join(tmpdir(), 'argon2-'))
  try {
    const binary = buildForProcessor({ installed, folder, environment: process.env })
    const [before, after]: [number[], number[]] = [[], []]
    // In turns, so that what the machine does meanwhile falls on both.
    for (let round = 0; round < rounds; round += 1) {
      const { perCpuSecond, made } = measureBuild(installed, { environment })
      const native = measureBuild(folder, { hash: made, environment })
      if (!native.isSame) throw new NotBuilt('The new build does not verify what the other hashed; it is thrown away.')
      before.push(perCpuSecond)
      after.push(native.perCpuSecond)
    }
    const ratio = median(after) / median(before)
    console.log(
      `As installed: ${median(before).toFixed(1)} hashes a CPU second. Built for this processor: ${median(after).toFixed(1)} (${ratio.toFixed(2)} ×).`,
    )
    if (isDry || ratio < worthwhile) {
      console.log(isDry ? 'Nothing was changed.' : 'That is not worth it; nothing was changed.')
      return
    }
    const kept = join(installed, 'build/Release')
    mkdirSync(kept, { recursive: true })
    copyFileSync(binary, join(kept, 'argon2.node'))
    console.log(`It stands in ${kept} and is used from the next start on. It runs on this kind of processor alone; npm ci takes it away.`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const usage = `Usage: npm run argon2:native [-- --dry-run]
  --dry-run               only measure`

try {
  const given = readArguments({ usage, options: { 'dry-run': { type: 'boolean', default: false } } })
  if (given) run(given.values['dry-run'] === true)
} catch (error) {
  if (!(error instanceof NotBuilt)) throw error
  console.error(error.message)
  process.exitCode = 1
}
