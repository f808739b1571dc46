// Several processes that are replaced, killed and crowded, before the fault plan: each needs the machine for itself.
export default {
  extensions: { ts: 'module' },
  files: ['test/faults/processes.long.ts'],
  timeout: '10m',
  concurrency: 1,
  workerThreads: false,
  environmentVariables: { NODE_COMPILE_CACHE: 'node_modules/.cache/authy2/compiled' },
}
