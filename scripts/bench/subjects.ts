// Says which servers are measured and with which settings; the last is always the engine in memory.
import type { SubjectName } from './options.ts'
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
  const add = async (name: string, environment: Record<string, string>) => {
    const folder = keep(await createFolder())
    definitions.push({ name, entry: 'src/server.ts', environment: { ...settings, DATA_DIR: folder, ...environment } })
  }
  if (names.includes('embedded')) await add('Embedded', {})
  if (databaseUrl && names.includes('postgresql')) await add('PostgreSQL', { DATABASE_URL: keep(await createDatabase(databaseUrl, 'alone')) })
  if (databaseUrl && redisUrl && names.includes('redis')) {
    const database = keep(await createDatabase(databaseUrl, 'redis'))
    await add('PostgreSQL + Redis', { DATABASE_URL: database, REDIS_URL: keep(await claimRedisDatabase(redisUrl)) })
  }
  return definitions
}

/** The engine, signing ID tokens as the servers do. */
export function defineEngine(idTokenAlgorithm: string): SubjectDefinition {
  return { name: 'Engine in memory', entry: 'scripts/bench/baseline.ts', environment: { ID_TOKEN_ALG: idTokenAlgorithm } }
}

// Development, because the demo clients and users are seeded there only; as behind one proxy, so that each browser has an address.
const settings = { NODE_ENV: 'development', LOG_LEVEL: 'error', TRUST_PROXY: '1' }
