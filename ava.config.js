// Tests run as they are written, each file in a process of its own.
export default {
  extensions: { ts: 'module' },
  files: ['test/**/*.test.ts'],
  timeout: '120s',
  workerThreads: false,
}
