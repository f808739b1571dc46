// Passwords: hashed with argon2id (RFC 9106) behind a gate; the only file that knows argon2.
//
// Hashes that other systems made are verified too, and outdated from the start. Time tells nobody apart but for one thing: until
// its first sign-in here, a wrong password for an account that moved in takes the time of that account's hash, not of ours. Whoever
// measures it learns that the address is one of those that moved in (up to 0.7 s, bcrypt of cost 14 up to 1.5 s, where ours takes
// a twentieth). To make all others as slow would let anybody keep the server busy; the budgets of signing in bound who measures.
import { availableParallelism } from 'node:os'
import argon2 from 'argon2'
import { createBcrypt } from './bcrypt.ts'
import { type HashEngines, readHash } from './foreign-hashes.ts'
import { createGate, type GateState } from './gate.ts'

/** OWASP's and ASVS 5.0's parameters at once: 46 MiB, one pass, one lane. */
export const argon2Parameters = { type: argon2.argon2id, memoryCost: 47_104, timeCost: 1, parallelism: 1 } as const

/** Hashes and verifies. */
export interface Hashing {
  /** A PHC string. */
  hash(password: string): Promise<string>
  /** Whether the password is the one; without a hash the same work is done against a decoy and the answer is no. */
  verify(password: string, hash: string | undefined): Promise<boolean>
}

/** Hashing behind the gate: each call throws `busy` when too many are waiting. */
export interface Passwords extends Hashing {
  /** Whether the hash was made by another system, or with other parameters than today's. */
  isOutdated(hash: string): boolean
  /** Does several things in one place of the gate: what is counted inside is counted only when its turn has come. */
  inTurn<Result>(work: (hashing: Hashing) => Promise<Result>): Promise<Result>
  /** How the gate fares. */
  state(): GateState
}

/** What a hash costs: KiB of memory, and passes over it. */
export interface HashingCost {
  readonly memoryCost: number
  readonly timeCost: number
}

interface Needs {
  readonly randomBytes: (size: number) => Buffer
  /** Instead of {@link argon2Parameters}: tests hash thousands of passwords, whose work would be all they do. */
  readonly hashingCost?: HashingCost
}

/** Makes the service. One core is left to everything else, and one of the four threads of libuv's pool, which signing shares. */
export const createPasswords = ({ randomBytes, hashingCost }: Needs): Passwords => {
  const parameters = { ...argon2Parameters, ...hashingCost }
  const gate = createGate({ places: Math.max(1, Math.min(availableParallelism(), 4) - 1), waiting: 64 })
  let decoy: Promise<string> | undefined
  const hash = (password: string) => argon2.hash(prepared(password), { ...parameters, salt: randomBytes(16) })
  const engines: HashEngines = { argon2: (password, known) => argon2.verify(known, password), bcrypt: createBcrypt() }
  const verify = async (password: string, known: string | undefined) => {
    decoy ??= hash(randomBytes(16).toString('hex'))
    const ownDecoy = await decoy
    const read = readHash(known ?? '')
    // What is not there, or is not to be verified, costs what a hash of ours does, and matches nothing.
    const refuse = async (form: string) => (await argon2.verify(ownDecoy, form)) && false
    const check =
      'verify' in read
        ? (form: string) =>
            read.verify(form, engines).catch(error => {
              if (isParameterError(error)) return refuse(form)
              throw error
            })
        : refuse
    let isMatch = false
    for (const form of formsOf(password)) isMatch ||= await check(form)
    // PBKDF2, scrypt and bcrypt take «x» and «x\0» for one.
    return isMatch && !password.includes('\0')
  }
  return {
    hash: password => gate(() => hash(password)),
    verify: (password, known) => gate(() => verify(password, known)),
    isOutdated: known => !ours.test(known) || argon2.needsRehash(known, parameters),
    inTurn: work => gate(() => work({ hash, verify })),
    state: gate.state,
  }
}

const ours = /^\$argon2id\$v=19\$[a-z0-9=,]+\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/

// A library that cannot work with a hash's parameters: no password is the one.
const isParameterError = (error: unknown) => error instanceof Error && 'code' in error && parameterErrors.has(error.code)
const parameterErrors: ReadonlySet<unknown> = new Set(['ERR_CRYPTO_INVALID_SCRYPT_PARAMS', 'ERR_OUT_OF_RANGE'])

// NIST SP 800-63B-4 §3.1.1.2: one Unicode form, so that the same typed password is the same on every keyboard.
const prepared = (password: string) => password.normalize('NFC')

// Another system may have hashed what was typed as it came (ASVS 5.0 §6.2.8): that is tried too, where it differs, and against
// the decoy alike.
const formsOf = (password: string) => new Set([prepared(password), password])
