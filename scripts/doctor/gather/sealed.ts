// Finds out whether SECRET_KEY opens what must outlive it, and how much is still sealed under one before it.
import { randomBytes } from 'node:crypto'
import { type LastingKey, secretsOver } from '../../../src/platform/data/lasting-keys.ts'
import { countOlder } from '../../../src/platform/data/reseal.ts'
import { StartError } from '../../../src/platform/data/start-error.ts'
import { createSecrets } from '../../../src/platform/secrets.ts'
import { findSecretKey } from '../../../src/resources.ts'
import { sealedColumns } from '../../../src/sealed-columns.ts'
import type { Environment, SealedFacts } from '../facts.ts'
import { listOf, settingsOf } from '../settings.ts'
import type { Ask } from './database.ts'

/** Tries the lasting keys; empty without a SECRET_KEY. */
export const gatherSealed = async (ask: Ask, environment: Environment): Promise<SealedFacts> => {
  const given = secretsGiven(environment)
  if (!given) return {}
  return { areLastingOpened: areOpened(await ask<LastingKey>('SELECT purpose, sealed FROM lasting_keys'), given) }
}

/** Counts what is sealed under an older key; `undefined` without a SECRET_KEY. It reads whole tables, which takes as long as they are large. */
export const gatherOlder = async (ask: Ask, environment: Environment): Promise<number | undefined> => {
  const given = secretsGiven(environment)
  if (!given) return undefined
  const counts = await countOlder(sealedColumns, { run: ({ text }, values) => ask(text, values), secrets: createSecrets(given) })
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

/** What the server would make its secrets of; `undefined` without a SECRET_KEY. */
export const secretsGiven = (environment: Environment) => {
  const secretKey = findSecretKey({ secretKey: environment.SECRET_KEY || undefined, dataDir: settingsOf(environment).dataDir })
  return secretKey ? { secretKey, previousKeys: listOf(environment.SECRET_KEY_PREVIOUS), randomBytes } : undefined
}

const areOpened = (rows: readonly LastingKey[], given: NonNullable<ReturnType<typeof secretsGiven>>): boolean => {
  try {
    secretsOver(rows, given)
    return true
  } catch (error) {
    if (error instanceof StartError) return false
    throw error
  }
}
