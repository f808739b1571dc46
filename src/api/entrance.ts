// The management API, put together: cross-origin rule, callers, manners, routes, documents.
import type { Middleware } from 'koa'
import type { Config } from '../config.ts'
import { managementPrefix } from '../platform/api-identifier.ts'
import type { Change } from '../platform/data/change.ts'
import type { Database } from '../platform/data/database.ts'
import type { FindHealth } from '../platform/health.ts'
import { createAdmit } from '../platform/http/admit.ts'
import { createCors } from '../platform/http/cors.ts'
import type { FormTokens } from '../platform/http/form.ts'
import type { Once } from '../platform/http/idempotency.ts'
import type { MakeLimit } from '../platform/http/limit.ts'
import { mountRoutes } from '../platform/http/mount.ts'
import type { Route } from '../platform/http/route.ts'
import type { Languages } from '../platform/languages.ts'
import type { FindBrowserSession } from '../sessions/session.ts'
import { actAs } from './authority.ts'
import { createIdentifyBrowser } from './browser.ts'
import { createDocuments } from './documents.ts'
import { createIdentify, type VerifyAccessToken } from './identify.ts'
import { createManagementRoutes } from './management.ts'
import { createProtectedResource, noteLackingScope } from './protected-resource.ts'
import { createRecordRefusals } from './refusals.ts'
import { createHealthRoutes } from './routes.ts'
import { createStandings } from './standing.ts'

type Needs = Parameters<typeof createManagementRoutes>[0] & {
  readonly config: Config
  readonly database: Database
  readonly findHealth: FindHealth
  readonly forms: FormTokens
  readonly languages: Languages
  readonly once: Once
  readonly change: Change
  readonly limit: MakeLimit
  readonly verifyAccessToken: VerifyAccessToken
  readonly findBrowserSession: FindBrowserSession
}

/** The API and the routes it serves under its prefix. */
export interface Api {
  /** In the order they are to be used. */
  readonly middleware: readonly Middleware[]
  readonly routes: readonly Route[]
  /** Those that take bodies beyond the usual bound, and bound them themselves. */
  readonly largerPaths: ReadonlySet<string>
}

/** Puts it together. */
export const createApi = (needs: Needs): Api => {
  const { config, database, forms, limit, once } = needs
  const { issuer } = config
  const routes = createManagementRoutes(needs)
  const identify = createIdentify({
    ...needs,
    standings: createStandings(database),
    identifyBrowser: createIdentifyBrowser({ find: needs.findBrowserSession, forms, issuer }),
  })
  const admit = createAdmit({ limit, requestsPerMinute: config.apiRequestsPerMinute })
  return {
    routes,
    largerPaths: new Set(routes.flatMap(({ path, rows }) => (rows ? [`${managementPrefix}${path}`] : []))),
    middleware: [
      createCors({ prefix: '/api/', origins: config.corsOrigins }),
      mountRoutes({
        prefix: managementPrefix,
        routes,
        identify,
        admit,
        actAs,
        once,
        onRefused: createRecordRefusals(needs),
        onForbidden: noteLackingScope,
      }),
      createProtectedResource({ issuer }),
      createDocuments({ routes, issuer }),
      mountRoutes({ prefix: '/api', routes: createHealthRoutes(needs.findHealth), identify: async () => anybody }),
    ],
  }
}

const anybody = { kind: 'anonymous' as const, permissions: new Set<string>() }
