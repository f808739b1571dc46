// Builds the engine over today's keys, and builds it anew when they change: its state is all in the store.
import type { Middleware } from 'koa'
import mount from 'koa-mount'
import Provider, { type Client, type Configuration, type JWKS, type KoaContextWithOIDC } from 'oidc-provider'
import type { Registration } from '../clients/client.ts'
import { signingSecrets } from '../clients/registration.ts'
import { isUnavailable } from '../platform/data/database.ts'
import { isOfConnection } from '../platform/http/connection.ts'
import type { Log } from '../platform/log.ts'
import { acrOf, askedAcr } from './acr.ts'
import type { ArtifactStore } from './artifact.ts'
import { letStepUpBeOAuth } from './asked-openid.ts'
import { leaveLogoutsToJobs } from './backchannel-logout.ts'
import { keepFresh } from './client-keys.ts'
import { keepFromDeveloper, noteSource } from './client-source.ts'
import { type ConfigurationNeeds, createConfiguration } from './configuration.ts'
import type { LookUpDocument } from './document-lookup.ts'
import { type FinishingNeeds, finishing } from './finishing.ts'
import { keepFormSecret } from './form-secret.ts'
import { keepGrantFields } from './grant-fields.ts'
import { letJwtsBeFound } from './jwt-in-engine.ts'
import { toEngineKey } from './local-signing-key.ts'
import { keepFromOwnOrigin } from './own-origin.ts'
import { narrowOwnTokens } from './own-scope.ts'
import type { Pace } from './pacing.ts'
import { throwTranslated } from './problems.ts'
import { publishWithout } from './published-keys.ts'
import { createRefusals, type Refusals } from './refusals.ts'
import { takeTokenless } from './registration-door.ts'
import type { LimitSecret } from './secret-limit.ts'
import { keepSessionFields } from './session-fields.ts'
import { bindToSessionGrants } from './session-grants.ts'
import type { SigningKeys } from './signing-keys.ts'
import { trySecrets } from './signing-secrets.ts'
import { prefixTokens } from './token-prefixes.ts'
import { tellMetadata } from './told-metadata.ts'
import { offerUsableKeys } from './usable-keys.ts'
import { spareErrors } from './userinfo-steps.ts'

/** The running engine. */
export interface Engine {
  readonly middleware: Middleware
  current(): Provider
  /** Builds anew if the keys changed; answers whether it did. */
  refresh(): Promise<boolean>
}

/** Adds something of ours to an engine that was just built. */
export type ExtendEngine = (provider: Provider, configuration: Configuration) => void

interface Needs extends Omit<ConfigurationNeeds, 'registrationOf'>, Omit<FinishingNeeds, 'refusals'> {
  readonly extensions: readonly ExtendEngine[]
  readonly volatile: ArtifactStore
  readonly signingKeys: SigningKeys
  readonly limitSecret: LimitSecret
  readonly lookUpDocument: LookUpDocument
  readonly pace: Pace
  readonly log: Log
}

/** Starts the engine. The keys must be there. */
export const createEngine = async (needs: Needs): Promise<Engine> => {
  const registrations = new WeakMap<object, Registration>()
  let version = await needs.signingKeys.version()
  let provider = await build(needs, registrations)
  let mounted = mount(provider)
  let last: Promise<unknown> = Promise.resolve()
  const renew = async () => {
    const latest = await needs.signingKeys.version()
    if (latest === version) return false
    provider = await build(needs, registrations)
    mounted = mount(provider)
    version = latest
    return true
  }
  return {
    middleware: (ctx, next) => mounted(ctx, next),
    current: () => provider,
    // One after another: who looked first must not put back a key that was revoked meanwhile.
    refresh: () => {
      const turn = last.then(renew)
      last = turn.catch(() => false)
      return turn
    },
  }
}

const build = async (needs: Needs, registrations: WeakMap<object, Registration>): Promise<Provider> => {
  const jwks: JWKS = { keys: (await needs.signingKeys.list()).map(toEngineKey) as JWKS['keys'] }
  const unpublished = await needs.signingKeys.listUnpublished()
  const configuration = createConfiguration({ ...needs, registrationOf: client => registrations.get(client) }, jwks)
  letStepUpBeOAuth()
  letJwtsBeFound()
  spareErrors()
  const provider = new Provider(needs.issuer, configuration)
  Object.defineProperty(provider.request, 'protocol', { get: () => new URL(needs.issuer).protocol.slice(0, -1) })
  keepGrantFields(provider)
  keepSessionFields(provider)
  publishWithout(provider, unpublished)
  tellMetadata(provider)
  bindToSessionGrants(provider)
  prefixTokens(provider)
  remember(provider, { needs, registrations })
  const refusals = createRefusals(needs.now)
  onceOnly(provider, { ...needs, refusals })
  takeTokenless(provider, needs.registration)
  narrowOwnTokens(provider, configuration)
  keepFromOwnOrigin(provider, configuration)
  keepFormSecret(provider, configuration)
  leaveLogoutsToJobs(provider)
  tellClass(provider)
  for (const extend of needs.extensions) extend(provider, configuration)
  provider.use(finishing({ ...needs, refusals }))
  provider.use(needs.pace)
  provider.on('server_error', (ctx, error) => tellServerError(ctx, { error, log: needs.log }))
  return provider
}

// The engine keeps a hundred constructed clients and hashes their metadata for every request; we keep each for as long as
// it does not change. Its secrets are digests, so comparing is ours too.
const remember = (provider: Provider, { needs, registrations }: { needs: Needs; registrations: WeakMap<object, Registration> }) => {
  const built = new WeakMap<Registration, Promise<Client | undefined>>()
  const engineFind = provider.Client.find.bind(provider.Client)
  provider.Client.find = async id => {
    const looking = needs.lookUpDocument(provider, id)
    if (looking) await looking
    const registration = typeof id === 'string' ? await needs.clients.find(id).catch(throwTranslated) : undefined
    if (!registration) return undefined
    // One for all who ask at the same moment: each would ask for the client's keys by itself.
    const known = built.get(registration)
    if (known) return known
    const making = engineFind(id).then(client => {
      if (!client) {
        built.delete(registration)
        return undefined
      }
      // The engine gives the same client for the same metadata: once is enough, and twice would be each over the other.
      if (!registrations.has(client)) {
        keepFresh(client, needs.now)
        offerUsableKeys(client)
        trySecrets(client, () => signingSecrets(registrations.get(client) ?? registration, needs.now()))
      }
      registrations.set(client, registration)
      noteSource(client, registration)
      keepFromDeveloper(client, registration)
      return client
    })
    built.set(registration, making)
    making.catch(() => built.delete(registration))
    return making
  }
  const compare = async function (this: Client, presented: string) {
    const check = () => needs.clients.verifySecret(this.clientId, presented)
    return needs.limitSecret({ clientId: this.clientId, ip: Provider.ctx?.ip ?? '', check })
  }
  Object.assign(provider.Client.prototype, { compareClientSecret: compare })
}

// The class is told as it was asked for, out of what was proven: the session keeps none that could grow old (RFC 8176, OpenID Connect Core §5.5.1.1).
const tellClass = (provider: Provider) => {
  const get = function (this: KoaContextWithOIDC['oidc']) {
    return acrOf(this.session?.amr ?? [], askedAcr(this.params))
  }
  Object.defineProperty(provider.OIDCContext.prototype, 'acr', { get, configurable: true })
}

const longestReplaySeconds = 365 * 86_400

// The engine looks a `jti` up and then saves it, which lets two through together; inserting decides (RFC 9449 §11.1, RFC 7523 §3).
const onceOnly = (provider: Provider, { volatile, now, refusals }: Needs & { refusals: Refusals }) => {
  const unique = async (issuer: string, jti: string, expiresAt: number) => {
    // An expiry may have a fraction, and may be beyond any calendar (RFC 7519 §2).
    const ttlSeconds = Math.ceil(Math.min(Math.max(1, expiresAt - now().getTime() / 1000), longestReplaySeconds))
    const isFirst = await volatile.insert({ kind: 'ReplayDetection', id: `${issuer}\0${jti}`, payload: {}, ttlSeconds }).catch(throwTranslated)
    if (!isFirst) refusals.noteReplay(jti)
    return isFirst
  }
  Object.assign(provider.ReplayDetection, { unique })
}

const tellServerError = (ctx: KoaContextWithOIDC, { error, log }: { error: Error; log: Log }) => {
  const isPassing = isUnavailable(error)
  log[isPassing ? 'warn' : isOfConnection(error) ? 'debug' : 'error'](
    { err: error, path: ctx.path },
    isPassing ? 'a dependency is unavailable' : 'the engine failed',
  )
  if (!isPassing) return
  ctx.status = 503
  if (typeof ctx.body === 'object' && ctx.body !== null && 'error' in ctx.body)
    ctx.body = { error: 'temporarily_unavailable', error_description: 'try again in a moment' }
}
