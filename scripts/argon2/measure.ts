// Measures one build of argon2, in a process of its own: node scripts/argon2/measure.ts FOLDER [HASH]. Writes JSON: hashes a CPU second, a hash,
// and whether it finds HASH, which another build made, to be of the same password.
import { createRequire } from 'node:module'
import { argon2Parameters } from '../../src/authentication/password.ts'

const [folder = '', other] = process.argv.slice(2)
const argon2: typeof import('argon2') = createRequire(import.meta.url)(folder)
const password = 'any password of this length'
const milliseconds = 2000

const made = await argon2.hash(password, argon2Parameters)
const isSame = other === undefined || (await argon2.verify(other, password))
const endsAt = performance.now() + milliseconds
const before = process.cpuUsage()
let done = 0
for (; performance.now() < endsAt; done += 1) await argon2.verify(made, password)
const { user, system } = process.cpuUsage(before)
process.stdout.write(JSON.stringify({ perCpuSecond: done / ((user + system) / 1e6), made, isSame }))
