// Finds out everything within a limit of time: what does not answer until then is told as silent.
import { fork } from 'node:child_process'
import type { Found } from './facts.ts'

/** Finds it out; the process that asks is ended at the limit. */
export const gather = async (seconds: number): Promise<Found> => {
  const silent = { failure: { code: 'ETIMEDOUT', reason: `no answer within ${seconds} seconds` } }
  const found: { -readonly [Place in keyof Found]: Found[Place] } = {
    machine: {},
    database: silent,
    redis: silent,
    issuer: silent,
    mail: silent,
    collector: silent,
  }
  const child = fork(new URL('./gather-process.ts', import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  child.on('message', ({ place, facts }: { place: keyof Found; facts: object }) => {
    Object.assign(found, { [place]: facts })
  })
  await new Promise(resolve => {
    const timer = setTimeout(resolve, seconds * 1000)
    // It lets go of us when all is told, and may hang on after that.
    child.once('disconnect', () => {
      clearTimeout(timer)
      resolve(undefined)
    })
  })
  child.kill('SIGKILL')
  return found
}
