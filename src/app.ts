// The Koa app, top to bottom: request id, errors, probes, guards, then the entrances.
import type { RequestListener } from 'node:http'
import { fileURLToPath } from 'node:url'
import Koa from 'koa'
import { withAccountClient } from './account/account-client.ts'
import { createAccount } from './account/entrance.ts'
import { createOpenedInvitation } from './account/opened-invitation.ts'
import { actAs } from './api/authority.ts'
import { type Api, createApi } from './api/entrance.ts'
import { createChallenge } from './api/protected-resource.ts'
import { withApiResource } from './api/resource.ts'
import { createAgents } from './clients/agents.ts'
import type { Config } from './config.ts'
import { serveImages } from './images/serve.ts'
import { isCallback } from './interactions/callback.ts'
import { createIdentifierCookie } from './interactions/identifier-cookie.ts'
import type { Offers } from './interactions/interaction.ts'
import { createKnownDevices } from './interactions/known-device.ts'
import { createMailboxRouter } from './interactions/mailbox.ts'
import { createInteractionRouters } from './interactions/routers.ts'
import { createWellKnown } from './interactions/well-known.ts'
import { oneFactor, twoFactors } from './oidc/acr.ts'
import { createCheckMetadata } from './oidc/client-metadata.ts'
import { createConsentRoutes } from './oidc/consent-routes.ts'
import { aliasOf } from './oidc/mutual-tls.ts'
import { createProtocol, type Protocol } from './oidc/protocol.ts'
import { createSigningKeyRoutes } from './oidc/signing-key-routes.ts'
import { createGallery } from './pages/gallery.ts'
import { createLanguageRouter } from './pages/language-router.ts'
import { createPageLanguage } from './pages/page-language.ts'
import { createPages } from './pages/pages.ts'
import { brandingOf, createPresent } from './pages/present.ts'
import { createRenderPreview } from './pages/preview.ts'
import { createShowAccess } from './pages/shown-access.ts'
import { Problem } from './platform/errors.ts'
import { createHealth } from './platform/health.ts'
import { takePlainAddress } from './platform/http/address.ts'
import { createAssets } from './platform/http/assets.ts'
import { isOfConnection } from './platform/http/connection.ts'
import { createCookieKeys } from './platform/http/cookie-keys.ts'
import { createErrorBoundary } from './platform/http/errors.ts'
import { createFormTokens } from './platform/http/form.ts'
import { createGuard } from './platform/http/guard.ts'
import { bearHeaders } from './platform/http/headers.ts'
import { createRequestLog } from './platform/http/request.ts'
import { createMetricsEndpoint } from './platform/metrics/endpoint.ts'
import { createRequestMeter } from './platform/metrics/requests.ts'
import { createProbes } from './probes.ts'
import type { Resources } from './resources.ts'
import { routeOf } from './route-templates.ts'
import type { Services } from './services.ts'
import { continueWords, showPages, showProblem } from './shown-pages.ts'
import { openMutualTls } from './tls.ts'

const viewsDirectory = fileURLToPath(new URL('../views', import.meta.url))

/** The app and the protocol it mounts. */
export interface App {
  /** Takes a request: documents from their buffer, everything else through Koa. */
  readonly listener: RequestListener
  readonly protocol: Protocol
  readonly api: Api
}

interface Needs {
  readonly config: Config
  readonly resources: Resources
  readonly services: Services
  /** Whether the process is about to end, and balancers shall lead nobody here. */
  readonly isStopping?: () => boolean
}

/** Puts the app together. */
export const createApp = async ({ config, resources, services, isStopping = () => false }: Needs): Promise<App> => {
  const { issuer } = config
  const isDevelopment = config.environment !== 'production'
  const isSecure = new URL(issuer).protocol === 'https:'
  const { log, secrets, now, newId, randomBytes } = resources

  const { languages } = services
  const pageLanguage = createPageLanguage({ languages, isSecure })
  const assets = createAssets(`${viewsDirectory}/assets`)
  const pages = createPages({ directory: viewsDirectory, isCached: config.environment !== 'development', assets, languages })
  const present = createPresent({ pages, pageLanguage, randomBytes })
  const cookieKeys = createCookieKeys(secrets.deriveAll('cookie'))
  const resourceServers = withApiResource(services.resourceServers, issuer)
  const show = showPages(present, isDevelopment)
  const showAccess = createShowAccess(resourceServers)
  const devices = createKnownDevices({ secrets, isSecure, newId })
  const mutualTls = openMutualTls(config, now)
  const protocol = await createProtocol({
    ...resources,
    ...services,
    clients: withAccountClient(services.clients, issuer),
    resourceServers,
    issuer,
    documentRule: config.documentRule,
    clientRegistration: config.clientRegistration,
    responseTypes: config.responseTypes,
    isDevelopment,
    cookieKeys,
    stylesheet: assets.url('authy2.css'),
    show,
    findDeviceId: ctx => devices.read(ctx)?.id,
    findLanguage: ctx => pageLanguage.of(ctx).tag,
    mutualTls,
    continueWords: (ctx, switching) => continueWords(pageLanguage.of(ctx), { product: brandingOf(ctx).name, switching }),
  })
  const forms = createFormTokens(secrets)
  const { verifyAccessToken, findBrowserSession } = protocol
  const protocolRoutes = [
    ...createSigningKeyRoutes({ signingKeys: services.signingKeys, onRotated: protocol.engine.refresh }),
    ...createConsentRoutes(services),
  ]
  const checkMetadata = createCheckMetadata(protocol.engine)
  const agents = createAgents({ ...resources, ...services, issuer, checkMetadata })
  const { areAgentsOn } = config
  const renderPreview = createRenderPreview({ pages, issuer, passwordMinLength: config.passwordMinLength, randomBytes })
  const findHealth = createHealth(resources)
  const api = createApi({
    ...resources,
    ...services,
    findHealth,
    agents,
    areAgentsOn,
    renderPreview,
    config,
    forms,
    verifyAccessToken,
    findBrowserSession,
    checkMetadata,
    protocolRoutes,
  })
  const openedInvitation = createOpenedInvitation({ ...services, secrets, isSecure })
  const interactions = createInteractionRouters({
    ...services,
    interactions: protocol.interactions,
    findBrowserSession,
    present,
    pageLanguage,
    showAccess,
    forms,
    devices,
    identifiers: createIdentifierCookie({ secrets, isSecure }),
    offers: createOffers(config, services.proofs.isPossible),
    findInvited: openedInvitation.find,
    passwordMinLength: config.passwordMinLength,
    secrets,
    issuer,
    isSecure,
    log,
    now,
    newId,
  })

  const account = createAccount({
    ...resources,
    ...services,
    agents,
    areAgentsOn,
    issuer,
    findBrowserSession,
    actAs,
    backchannel: protocol.backchannel,
    acrValues: `${twoFactors} ${oneFactor}`,
    isPasswordOffered: config.signInMethods.includes('password'),
    passwordMinLength: config.passwordMinLength,
    hasPassword: services.signIn.hasPassword,
    pageLanguage,
    showAccess,
    present,
    forms,
    openedInvitation,
    isSecure,
  })

  const koa = new Koa({ keys: cookieKeys as never, proxy: config.trustedProxies > 0, maxIpsCount: config.trustedProxies })
  // Whatever a proxy says, the protocol people see is the issuer's.
  Object.defineProperty(koa.request, 'protocol', { get: () => new URL(issuer).protocol.slice(0, -1) })
  koa.on('error', error => log[isOfConnection(error) ? 'debug' : 'error']({ err: error }, 'a response failed'))
  const meter = createRequestMeter(resources.metrics)
  koa.use(takePlainAddress)
  koa.use(createRequestLog({ log, newId, meter, tracing: resources.tracing, timeoutSeconds: config.requestTimeoutSeconds, routeOf }))
  koa.use(createErrorBoundary({ log, challenge: createChallenge(issuer), show: (ctx, problem) => showProblem(present, { ctx, problem }) }))
  koa.use(createProbes(findHealth, isStopping))
  if (resources.metrics) koa.use(createMetricsEndpoint({ metrics: resources.metrics, token: config.metricsToken, isBehindProxy: config.trustedProxies > 0 }))
  koa.use(createGuard({ issuer, alias: aliasOf(mutualTls), larger: path => api.largerPaths.has(path) || isCallback(path) }))
  // The protocol comes first of the entrances, for it is asked most; what it does not know falls through.
  for (const middleware of protocol.middleware) koa.use(middleware)
  koa.use(serveImages(services.images))
  koa.use(assets.middleware)
  for (const middleware of api.middleware) koa.use(middleware)
  koa.use(createLanguageRouter({ languages, pageLanguage, issuer }).routes())
  koa.use(createWellKnown({ issuer }))
  for (const router of interactions) koa.use(router.routes())
  koa.use(account.routes())
  if (isDevelopment) koa.use(createGallery({ pages, pageLanguage, randomBytes }).routes())
  if (isDevelopment && resources.mailbox) koa.use(createMailboxRouter({ mailbox: resources.mailbox, present }).routes())
  koa.use(() => {
    throw new Problem('not_found')
  })
  const answer = koa.callback()
  const begin: RequestListener = (request, response) => {
    // Whoever went before that wants nothing any more.
    if (request.destroyed) return
    bearHeaders(response)
    void answer(request, response)
  }
  const listener: RequestListener = (request, response) => {
    const startedAt = performance.now()
    // At the end of the turn: what came in it is begun together, and has its body by then.
    if (!protocol.documents.answer(request, response)) setImmediate(begin, request, response)
    // Only an address that is a document's whole one is answered from the buffer.
    else meter.observe({ method: request.method ?? '', route: request.url ?? '', status: response.statusCode, startedAt })
  }
  return { listener, protocol, api }
}

const createOffers = ({ isSignUpOpen, signInMethods }: Config, canMail: boolean): Offers => {
  const hasPassword = signInMethods.includes('password')
  const signUp = isSignUpOpen ? 'everybody' : 'invited'
  return {
    password: hasPassword,
    emailCode: canMail && signInMethods.includes('email_code'),
    signUp: canMail && hasPassword ? signUp : 'nobody',
    upstreamSignUp: signUp,
    recovery: canMail && hasPassword,
  }
}
