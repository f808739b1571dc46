// Says which servers are measured and with which settings; the last two are always Koa alone and the engine in memory.
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { asStarted } from './as-started.ts'
import { fillManyClients } from './many-clients.ts'
import type { SubjectName } from './options.ts'
import { type Population, populate } from './population.ts'
import { claimRedisDatabase, createDatabase, createFolder, type Scratch } from './scratch.ts'
import type { SubjectDefinition } from './subject.ts'

export interface Surroundings {
  readonly databaseUrl: string | undefined
  readonly redisUrl: string | undefined
}

/** The servers to start. Each scratch thing is handed to `keep` as soon as it exists, so that it can be removed whatever happens. */
export async function defineServers(
  names: readonly SubjectName[],
  { databaseUrl, redisUrl }: Surroundings,
  keep: (scratch: Scratch) => string,
): Promise<readonly SubjectDefinition[]> {
  const definitions: SubjectDefinition[] = []
  const add = async (name: string, environment: Record<string, string>, fill?: () => Promise<void>) => {
    const folder = keep(await createFolder())
    definitions.push({ name, entry: 'src/server.ts', environment: { ...settings, DATA_DIR: folder, ...environment }, ...(fill && { fill }) })
  }
  if (names.includes('embedded')) await add(embeddedName, {})
  if (databaseUrl && names.includes('postgresql')) {
    const database = keep(await createDatabase(databaseUrl, 'alone'))
    await add('PostgreSQL', { DATABASE_URL: database }, () => fillManyClients(database))
  }
  if (databaseUrl && redisUrl && names.includes('redis')) {
    const database = keep(await createDatabase(databaseUrl, 'redis'))
    await add('PostgreSQL + Redis', { DATABASE_URL: database, REDIS_URL: keep(await claimRedisDatabase(redisUrl)) }, () => fillManyClients(database))
  }
  if (databaseUrl && names.includes('large')) {
    const database = keep(await createDatabase(databaseUrl, 'large'))
    const redis: Record<string, string> = redisUrl ? { REDIS_URL: keep(await claimRedisDatabase(redisUrl)) } : {}
    await add(largeName, { DATABASE_URL: database, ...redis }, () => fillLarge(database))
  }
  return definitions
}

/** The server whose database is out of our reach. */
export const embeddedName = 'Embedded'

/** The server whose database is large. */
export const largeName = 'Large'

const large: Population = { users: 100_000, organizations: 1000, clients: 5000, events: 1_000_000, artifacts: 300_000 }

async function fillLarge(databaseUrl: string): Promise<void> {
  const database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  await fillManyClients(databaseUrl)
  await populate(statement => database.query(statement), large).finally(() => database.end())
}

/** The engine, signing ID tokens as the servers do. */
export function defineEngine(idTokenAlgorithm: string): SubjectDefinition {
  return { name: 'Engine in memory', entry: 'scripts/bench/baseline.ts', environment: { ...asStarted, ID_TOKEN_ALG: idTokenAlgorithm } }
}

/** Koa alone, which each request is held against as the least it can cost. */
export const bareKoa: SubjectDefinition = { name: 'Bare Koa', entry: 'scripts/bench/bare.ts', environment: asStarted }

// One key for all processes of a run, whatever they run as.
const secretKey = randomBytes(48).toString('base64')

// As in tests: with the demo clients and users, and views compiled once as in production; as behind one proxy, so that each browser has an address.
const settings = { ...asStarted, NODE_ENV: 'test', LOG_LEVEL: 'error', TRUST_PROXY: '1', SECRET_KEY: secretKey }
