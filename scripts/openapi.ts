// npm run openapi [-- --check]     writes openapi.json from the routes, or fails when it no longer says what they say.
import { readFileSync, writeFileSync } from 'node:fs'
import { createManagementRoutes } from '../src/api/management.ts'
import { openApi } from '../src/api/openapi.ts'
import { eventNames } from '../src/foundation.ts'
import { createConsentRoutes } from '../src/oidc/consent-routes.ts'
import { createSigningKeyRoutes } from '../src/oidc/signing-key-routes.ts'

const file = new URL('../openapi.json', import.meta.url)
// A route is described by its schemas alone: its services are asked only when it is called.
const none = {} as never
const protocolRoutes = [...createSigningKeyRoutes(none), ...createConsentRoutes(none)]
const routes = createManagementRoutes(Object.assign(none, { areAgentsOn: true, eventNames, protocolRoutes }))
const text = `${JSON.stringify(openApi({ routes, issuer: 'http://localhost:3000' }), undefined, 2)}\n`

if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    console.error('openapi.json does not say what the routes say. Run npm run openapi.')
    process.exitCode = 1
  }
} else {
  writeFileSync(file, text)
  console.log(`Written: openapi.json, ${routes.length} operations.`)
}
