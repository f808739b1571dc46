// Tests run as they are written, each file in a process of its own; what Node makes of the source is kept between them.
export default {
  extensions: { ts: 'module' },
  files: ['test/**/*.test.ts'],
  timeout: '120s',
  workerThreads: false,
  environmentVariables: { NODE_COMPILE_CACHE: 'node_modules/.cache/authy2/compiled' },
}
