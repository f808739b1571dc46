// Measures what hashing passwords alone would allow, with the server's own parameters.
import { availableParallelism } from 'node:os'
import argon2 from 'argon2'
import { argon2Parameters } from '../../src/authentication/password.ts'

const password = 'any password of this length'

/** Verifications a CPU second, as many at a time as the server allows itself: one core is left free. */
export async function measureHash(seconds: number): Promise<{ perCore: number; parameters: string }> {
  const hash = await argon2.hash(password, argon2Parameters)
  const endsAt = performance.now() + seconds * 1000
  const before = process.cpuUsage()
  let done = 0
  const repeat = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      await argon2.verify(hash, password)
      done += 1
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, availableParallelism() - 1) }, repeat))
  const { user, system } = process.cpuUsage(before)
  const { memoryCost, timeCost, parallelism } = argon2Parameters
  return { perCore: done / ((user + system) / 1e6), parameters: `m=${memoryCost}, t=${timeCost}, p=${parallelism}` }
}
