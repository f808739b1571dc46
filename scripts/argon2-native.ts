// npm run argon2:native [-- --dry-run]     builds argon2 for the processor at hand, measures both builds and keeps the faster one.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readArguments } from '../src/arguments.ts'
import { buildForProcessor, NotBuilt } from './argon2/build.ts'
import { median } from './bench/measure.ts'

const rounds = 3
// Less is within what measuring differs by.
const worthwhile = 1.05

interface Measured {
  readonly perCpuSecond: number
  readonly made: string
  readonly isSame: boolean
}

// What the package needs is found where it is installed, also by its copy.
const measure = (folder: string, { installed, hash }: { installed: string; hash?: string }): Measured => {
  const script = fileURLToPath(new URL('argon2/measure.ts', import.meta.url))
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [script, folder, ...(hash ? [hash] : [])], {
    encoding: 'utf8',
    env: { ...process.env, NODE_PATH: dirname(installed) },
  })
  if (status !== 0) throw new NotBuilt(`The build in ${folder} does not run (${signal ?? status}):\n${stderr.slice(-1000)}`)
  return JSON.parse(stdout)
}

const run = (isDry: boolean): void => {
  const installed = dirname(createRequire(import.meta.url).resolve('argon2/package.json'))
  const folder = mkdtempSync(join(tmpdir(), 'argon2-'))
  try {
    const binary = buildForProcessor({ installed, folder, environment: process.env })
    const [before, after]: [number[], number[]] = [[], []]
    // In turns, so that what the machine does meanwhile falls on both.
    for (let round = 0; round < rounds; round += 1) {
      const { perCpuSecond, made } = measure(installed, { installed })
      const native = measure(folder, { installed, hash: made })
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
