// Measures what one process costs that does nothing: as it is packed, in production, some seconds after it is ready.
import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { readMemory } from './process-tree.ts'
import { type SubjectDefinition, startSubject } from './subject.ts'

export interface Idle {
  readonly target: string
  readonly startSeconds: readonly number[]
  /** Of the process and its children, ended ones too. */
  readonly startCpuSeconds: readonly number[]
  /** In MB: all that is resident; with what is shared divided among those who share it; of its own, in no file. */
  readonly resident: readonly number[]
  readonly proportional: readonly number[]
  readonly anonymous: readonly number[]
}

const idleMilliseconds = 5000

/** Makes dist and starts each of the servers from it some times: on empty databases, which are migrated first. Production must allow them. */
export async function measureIdle(
  definitions: readonly SubjectDefinition[],
  times: number,
  atEnd: (stop: () => Promise<void>) => void,
): Promise<readonly Idle[]> {
  if (definitions.length > 0) await promisify(execFile)(process.execPath, ['scripts/build.ts'])
  const measured: Idle[] = []
  for (const definition of definitions) {
    const packed = { ...definition, entry: 'dist/src/server.js', environment: { ...definition.environment, NODE_ENV: 'production' } }
    await (await startSubject(packed, atEnd)).stop()
    const samples = []
    for (let time = 0; time < times; time += 1) samples.push(await sampleIdle(packed, atEnd))
    measured.push({
      target: definition.name,
      startSeconds: samples.map(({ startSeconds }) => startSeconds),
      startCpuSeconds: samples.map(({ startCpuSeconds }) => startCpuSeconds),
      resident: samples.map(({ memory }) => memory.resident),
      proportional: samples.map(({ memory }) => memory.proportional),
      anonymous: samples.map(({ memory }) => memory.anonymous),
    })
  }
  return measured
}

async function sampleIdle(definition: SubjectDefinition, atEnd: (stop: () => Promise<void>) => void) {
  const subject = await startSubject(definition, atEnd)
  const { treeSeconds: startCpuSeconds, pids } = await subject.sample()
  await sleep(idleMilliseconds)
  const memory = await readMemory(pids[0] ?? 0)
  await subject.stop()
  return { startSeconds: subject.startSeconds, startCpuSeconds, memory }
}
