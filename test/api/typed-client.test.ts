// The example of a typed client does what it says, and its types are those of the document as it is now.
import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { startServer } from '../support/server.ts'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

test('the types were made from the document as it is now (else: npm run openapi:types)', t => {
  t.true(read('docs/typed-client/api.ts').startsWith(`// Made from openapi.json with the SHA-256 ${hash('sha256', read('openapi.json'))}.\n`))
})

test('the example signs in, makes an organization, lists its members page by page and handles a refusal', async t => {
  const server = await startServer()
  t.teardown(server.close)
  const example = fileURLToPath(new URL('docs/typed-client/example.ts', root))
  const { stdout } = await promisify(execFile)(process.execPath, [example, server.issuer])
  const [signedIn, made, ...rest] = stdout.trimEnd().split('\n')
  t.is(signedIn, 'Signed in as admin@authy2.local')
  t.is(made, 'Made initech')
  t.is(rest.pop(), 'Refused: This person is a member already.')
  t.deepEqual(rest.sort(), ['Member admin@authy2.local, owner', 'Member alice@acme-corp.com, member', 'Member bob@acme-corp.com, member'])
})
