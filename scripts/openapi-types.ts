// The second half of npm run openapi:types: writes into the generated types which openapi.json they were made from.
import { hash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'

const types = new URL('../docs/typed-client/api.ts', import.meta.url)
const document = readFileSync(new URL('../openapi.json', import.meta.url))
writeFileSync(types, `// Made from openapi.json with the SHA-256 ${hash('sha256', document)}.\n${readFileSync(types, 'utf8')}`)
console.log('Written: docs/typed-client/api.ts')
