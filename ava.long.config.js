// The long tests: races over several processes, faults, and the browser's grand tour. With a database of one's own those that need
// none, or bring their own servers, are left out.
const elsewhere = process.env.DATABASE_URL
  ? [
      '!test/{browser,certification,connectors,faults,mcp}/**',
      '!test/api/{fuzz,garbage}.long.ts',
      '!test/http/fuzz.long.ts',
      '!test/flows/{enumeration,exchange-chains,factor-*}.long.ts',
      '!test/races/{budgets,one-winner}.long.ts',
    ]
  : []

export default {
  extensions: { ts: 'module' },
  files: ['test/**/*.long.ts', ...elsewhere],
  timeout: '10m',
  // More than there are processors: some wait for what is killed, or for time to pass.
  concurrency: 3,
  workerThreads: false,
  environmentVariables: { NODE_COMPILE_CACHE: 'node_modules/.cache/authy2/compiled' },
}
