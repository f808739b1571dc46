// Tests that hold how long answers take against each other: what other tests do beside them would tell more than the answers.
export default {
  extensions: { ts: 'module' },
  files: ['test/flows/enumeration.long.ts'],
  timeout: '10m',
  concurrency: 1,
  workerThreads: false,
  environmentVariables: { NODE_COMPILE_CACHE: 'node_modules/.cache/authy2/compiled' },
}
