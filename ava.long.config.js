// The long tests: races over several processes, faults, and the browser's grand tour.
export default {
  extensions: { ts: 'module' },
  files: ['test/**/*.long.ts'],
  timeout: '10m',
  concurrency: 1,
  workerThreads: false,
  environmentVariables: { NODE_COMPILE_CACHE: 'node_modules/.cache/authy2/compiled' },
}
