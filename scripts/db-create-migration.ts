// npm run db:create-migration -- NAME | --check     writes the next migration from the Prisma schema, or fails when one is missing. Needs no network and no database.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg'
import { PrismaPGlite } from 'pglite-prisma-adapter'
import { migrationsFolder, readMigrations } from '../src/platform/data/migrations.ts'
import { contracting, crowded } from './contracting.ts'

const name = process.argv[2]
if (name === undefined || (name !== '--check' && !/^[a-z0-9_]+$/.test(name))) {
  console.error('Say what changes, in small letters: npm run db:create-migration -- add_user_locale')
  process.exit(2)
}

const sql = await missingSql()
if (sql === undefined) {
  console.log('The schema and the migrations agree.')
  process.exit(0)
}
if (name === '--check') {
  console.error(`The schema has changes without a migration. Run npm run db:create-migration -- NAME.\n${sql}`)
  process.exit(1)
}
const folder = join(migrationsFolder, `${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}_${name}`)
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'migration.sql'), sql)
console.log(`Written: ${join(folder, 'migration.sql')}. Add by hand what the schema cannot say (partial indexes, checks).`)
for (const fault of contracting(sql)) console.log(`This breaks the version before (prisma/README.md): it ${fault}`)
for (const fault of crowded(sql)) console.log(`This holds the version before up (prisma/README.md): it ${fault}`)
process.exit(0)

/** What the migrations lack of the schema, or `undefined`. Indexes with a WHERE and checks are not in Prisma's sight, so they are no drift. */
async function missingSql(): Promise<string | undefined> {
  await loadEngine()
  const schemaFolder = fileURLToPath(new URL('../prisma/schema', import.meta.url))
  const files = readdirSync(schemaFolder)
    .filter(file => file.endsWith('.prisma'))
    .map(file => ({ path: join(schemaFolder, file), content: readFileSync(join(schemaFolder, file), 'utf8') }))
  const schemaEngine = await engine.SchemaEngine.new({ datamodels: files.map(({ path, content }) => [path, content]) }, () => {}, shadowFactory())
  const { exitCode, stdout } = await schemaEngine.diff({
    from: {
      tag: 'migrations',
      baseDir: migrationsFolder,
      lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
      shadowDbInitScript: '',
      migrationDirectories: migrations().map(({ name, sql }) => ({
        path: name,
        migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value: sql } },
      })),
    },
    to: { tag: 'schemaDatamodel', files },
    script: true,
    exitCode: true,
    filters: { externalTables: [], externalEnums: [] },
  })
  return exitCode === 0 ? undefined : (stdout ?? '')
}

function migrations() {
  mkdirSync(migrationsFolder, { recursive: true })
  return readMigrations()
}

/** Loads the engine's WebAssembly from Prisma's own bundle; the package beside it is the same version's binding. */
async function loadEngine(): Promise<void> {
  const prisma = dirname(createRequire(import.meta.url).resolve('prisma/package.json'))
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: { instantiate(code: Uint8Array, imports: object): Promise<{ instance: { exports: { __wbindgen_start(): void } } }> }
  }
  const { instance } = await WebAssembly.instantiate(readFileSync(join(prisma, 'build/schema_engine_bg.wasm')), { './schema_engine_bg.js': engine })
  const { __wbg_set_wasm: setExports } = engine as unknown as { __wbg_set_wasm(exports: object): void }
  setExports(instance.exports)
  instance.exports.__wbindgen_start()
}

/** A throw-away database in memory, in which the migrations are run to see what they make. */
function shadowFactory() {
  const connect = async () => {
    const database = await PGlite.create()
    const adapter = await new PrismaPGlite(database).connect()
    // The adapter's own version is not awaited (0.7.2): a failing migration would pass.
    adapter.executeScript = async script => {
      await database.exec(script)
    }
    return adapter
  }
  return bindMigrationAwareSqlAdapterFactory({ provider: 'postgres', adapterName: 'pglite', connect, connectToShadowDb: connect })
}
