// The long tests: races over several processes, faults, and the browser's grand tour. With a database of one's own those that need
// none, or bring their own servers, are left out.
import { longestFirst } from './test/support/longest-first.ts'

const elsewhere = process.env.DATABASE_URL
  ? [
      '!test/{browser,certification,connectors,faults,mcp,observability,scripts}/**',
      '!test/{api,http}/*.long.ts',
      '!test/audit/verification.long.ts',
      '!test/authentication/foreign-hashes.long.ts',
      '!test/backup/restore.long.ts',
      '!test/platform/data/embedded.long.ts',
      '!test/oidc/key-rotation.long.ts',
      '!test/flows/{factor-*,upstream-attacks}.long.ts',
      '!test/races/{budgets,one-winner}.long.ts',
    ]
  : []

const longest = ['races/one-winner', 'api/fuzz', 'browser/gallery', 'faults/logout', 'backup/backup', 'backup/restore', 'browser/pages', 'api/permissions']

export default {
  extensions: { ts: 'module' },
  // What needs the machine for itself runs alone: rolling restarts with the fault plan (npm run test:faults), timing in npm run test:timing.
  files: ['test/**/*.long.ts', '!test/faults/processes.long.ts', '!test/flows/enumeration.long.ts', ...elsewhere],
  sortTestFiles: longestFirst(longest),
  timeout: '10m',
  // More than there are processors: some wait for what is killed, or for time to pass.
  concurrency: 4,
  workerThreads: false,
  environmentVariables: { NODE_COMPILE_CACHE: 'node_modules/.cache/authy2/compiled' },
}
