// The long tests: races over several processes, faults, and the browser's grand tour. With a database of one's own only those that the database is part of.
const elsewhere = process.env.DATABASE_URL ? ['!test/browser/**', '!test/flows/enumeration.long.ts', '!test/flows/factor-*.long.ts'] : []

export default {
  extensions: { ts: 'module' },
  files: ['test/**/*.long.ts', ...elsewhere],
  timeout: '10m',
  concurrency: 2,
  workerThreads: false,
  environmentVariables: { NODE_COMPILE_CACHE: 'node_modules/.cache/authy2/compiled' },
}
