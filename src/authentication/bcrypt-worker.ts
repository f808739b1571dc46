// The thread in which bcrypt runs: answers one question after the other.
import { timingSafeEqual } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import bcrypt from 'bcryptjs'

const saltLength = 29

parentPort?.on('message', ({ password, hash }: { password: string; hash: string }) => {
  // Only what comes after the salt is compared: some made salts whose last bits say nothing, and those are written anew.
  const made = bcrypt.hashSync(password, hash.slice(0, saltLength))
  parentPort?.postMessage({ isMatch: timingSafeEqual(Buffer.from(made.slice(saltLength)), Buffer.from(hash.slice(saltLength))) })
})
