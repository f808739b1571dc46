// Tests run as they are written, each file in a process of its own; what Node makes of the source is kept between them. With a
// database of one's own those that need none, and take long, are left out.
const elsewhere = process.env.DATABASE_URL
  ? ['!test/platform/data/{embedded,lock}.test.ts', '!test/authentication/{bcrypt,foreign-hashes,password}.test.ts']
  : []

export default {
  extensions: { ts: 'module' },
  files: ['test/**/*.test.ts', ...elsewhere],
  timeout: '120s',
  workerThreads: false,
  environmentVariables: { NODE_COMPILE_CACHE: 'node_modules/.cache/authy2/compiled' },
}
