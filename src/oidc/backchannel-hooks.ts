// What the engine asks of us about backchannel authentication (OpenID Connect CIBA Core 1.0): who is meant, how often, and what may be said.

import { type Configuration, errors, type FindAccount, type KoaContextWithOIDC } from 'oidc-provider'
import type { Registration } from '../clients/client.ts'
import { addressKey, type MakeLimit } from '../platform/http/limit.ts'
import { isOneLine, isPlainText } from '../platform/http/text.ts'
import type { Secrets } from '../platform/secrets.ts'
import { isObject } from '../platform/values.ts'
import { normalizeEmail } from '../users/email.ts'
import type { Users } from '../users/users.ts'
import { askedAcr, isUnattainable } from './acr.ts'
import { actorOf } from './actor.ts'
import { organizationScope } from './asked-organization.ts'
import { type Asked, askerOf } from './backchannel-request.ts'
import type { BackchannelRequests } from './backchannel-requests.ts'
import { limited } from './problems.ts'
import { createStandIns } from './stand-ins.ts'

type Ciba = NonNullable<NonNullable<Configuration['features']>['ciba']>

type RegistrationOf = (client: object) => Registration | undefined

/** The engine's hooks. */
export interface BackchannelHooks {
  readonly feature: (registrationOf: RegistrationOf) => Ciba
  /** Finds accounts also for requests that are for nobody; only where such a request is made. */
  readonly withStandIns: (find: FindAccount) => FindAccount
}

interface Needs {
  readonly users: Users
  readonly backchannelRequests: BackchannelRequests
  readonly limit: MakeLimit
  readonly secrets: Secrets
}

const maxBindingMessage = 100

/**
 * Makes them. An address that is nobody's, is suspended, or was never proven by its user is accepted like any other and expires: a client
 * would else learn who has an account (CIBA Core §13 lets it be told `unknown_user_id`, but does not ask for it). Only the operator's own
 * clients are told, for what they are told stays in the house. A user who did not prove an address is not who the client means by it.
 */
export const createBackchannelHooks = ({ users, backchannelRequests, limit, secrets }: Needs): BackchannelHooks => {
  const standIns = createStandIns(secrets)
  const byClient = limit('ciba:client', { points: 600, durationSeconds: 600 })
  const byAddress = limit('ciba:address', { points: 600, durationSeconds: 600 })
  const byClientAndUser = limit('ciba:client-user', { points: 10, durationSeconds: 600 })
  const byAskerAndUser = limit('ciba:user', { points: 30, durationSeconds: 3600 })

  return {
    withStandIns: standIns.around,
    feature: registrationOf => ({
      enabled: true,
      deliveryModes: ['poll', 'ping'],
      validateRequestContext: async (ctx, context) => {
        verifyRequest(ctx, context)
        await limited(() => Promise.all([byClient.consume(ctx.oidc.client?.clientId ?? ''), byAddress.consume(addressKey(ctx.ip))]))
      },
      validateBindingMessage: async (_ctx, message) => {
        if (message !== undefined && !isBindingMessage(message))
          throw new errors.InvalidBindingMessage(`binding_message must be one line of at most ${maxBindingMessage} characters that show what they say`)
      },
      processLoginHint: async (ctx, hint) => {
        const email = normalizeEmail(hint ?? '')
        if (email === undefined) throw new errors.InvalidRequest('login_hint must be an email address')
        const user = await users.findByEmail(email)
        if (user?.isEmailVerified && !user.isSuspended) return user.id
        const registration = ctx.oidc.client && registrationOf(ctx.oidc.client)
        if (registration?.isFirstParty && registration.organizationId === undefined) return undefined
        return standIns.make(ctx, email)
      },
      processLoginHintToken: async () => {
        throw new errors.InvalidRequest('login_hint_token is not supported: send login_hint or id_token_hint')
      },
      // No user codes (`backchannel_user_code_parameter_supported` is false): one that is sent is passed over (CIBA Core §7.1). The account is known here, so its limits are counted.
      verifyUserCode: async (ctx, { accountId }) => {
        // Never by the person alone: whoever asks for somebody would use up what others may ask of them.
        await limited(() =>
          Promise.all([
            byClientAndUser.consume(`${ctx.oidc.client?.clientId}:${accountId}`),
            byAskerAndUser.consume(`${askerIn(ctx, registrationOf)}:${accountId}`),
          ]),
        )
      },
      triggerAuthenticationDevice: async (ctx, request, { accountId }, client) => {
        const token: unknown = ctx.oidc.params?.client_notification_token
        await limited(() =>
          backchannelRequests.ask(actorOf(), {
            authReqId: request.jti,
            accountId,
            isKnown: !standIns.is(ctx, accountId),
            clientId: client.clientId,
            organizationId: registrationOf(client)?.organizationId,
            asked: askedOf(ctx),
            notificationToken: client.backchannelTokenDeliveryMode === 'ping' && typeof token === 'string' ? token : undefined,
            ip: actorOf().ip,
            expiresInSeconds: request.expiration,
          }),
        )
      },
    }),
  }
}

const askerIn = ({ oidc: { client } }: KoaContextWithOIDC, registrationOf: RegistrationOf): string =>
  askerOf({ clientId: client?.clientId ?? '', organizationId: client && registrationOf(client)?.organizationId })

/** Whether a message may be shown to a person: one line, short, nothing hidden in it. */
const isBindingMessage = (message: string): boolean =>
  message.trim() !== '' && [...message].length <= maxBindingMessage && isPlainText(message) && isOneLine(message) && !invisible.test(message)

// Formats that show nothing or turn what stands around them, and fillers that look like nothing.
const invisible = /[\p{Cf}\p{Co}\p{Cn}\u115f\u1160\u3164\uffa0\u2800]/u

const maxRequestContext = 4096

const verifyRequest = ({ oidc }: KoaContextWithOIDC, context: unknown) => {
  if (context !== undefined && !isSmallObject(context)) throw new errors.InvalidRequest('request_context must be a small JSON object')
  if (isUnattainable(askedAcr(oidc.params))) throw new errors.UnmetAuthenticationRequirements('none of the requested ACRs can be given')
  verifyKind(oidc)
  // OpenID Connect Core §5.5.1: whose token it must be is said here by the hint alone.
  const asked = parseObject(oidc.params?.claims)
  if ([asked?.id_token, asked?.userinfo].some(asksForSubject)) throw new errors.InvalidRequest('claims must not ask for a sub: send id_token_hint')
}

// What the person is not shown and no answer would grant is refused, not passed over: a client would think that it was approved.
const verifyKind = ({ params, requestParamScopes }: KoaContextWithOIDC['oidc']) => {
  if (params?.authorization_details !== undefined) throw new errors.InvalidAuthorizationDetails('authorization details are not asked for here')
  if (params?.organization !== undefined) throw new errors.InvalidRequest('tokens of a backchannel request are for no organization')
  if (requestParamScopes.has(organizationScope)) throw new errors.InvalidScope('tokens of a backchannel request are for no organization', organizationScope)
}

const asksForSubject = (asked: unknown): boolean => isObject(asked) && isObject(asked.sub)

const isSmallObject = (context: unknown): boolean => typeof context === 'string' && context.length <= maxRequestContext && parseObject(context) !== undefined

const parseObject = (text: unknown): Record<string, unknown> | undefined => {
  if (typeof text !== 'string') return undefined
  try {
    const parsed: unknown = JSON.parse(text)
    return isObject(parsed) ? parsed : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

// The scopes that are known: of the issuer, and of the resources that were named. Nothing else can be granted, so nothing else is shown.
const askedOf = ({ oidc }: KoaContextWithOIDC): Asked => {
  const { acr_values, claims, max_age } = oidc.params ?? {}
  const resources = Object.entries(oidc.resourceServers ?? {}).map(
    ([indicator, server]) => [indicator, [...oidc.requestParamScopes].filter(scope => server.scopes.has(scope))] as const,
  )
  return {
    scopes: [...oidc.requestParamOIDCScopes],
    claims: [...oidc.requestParamClaims],
    resources: Object.fromEntries(resources.filter(([, scopes]) => scopes.length > 0)),
    bindingMessage: textOf(oidc.params?.binding_message),
    // The engine makes `prompt=login` of `max_age=0`, which says the same.
    params: { acr_values: textOf(acr_values), claims: textOf(claims), max_age: oidc.prompts.has('login') ? '0' : textOf(max_age) },
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
