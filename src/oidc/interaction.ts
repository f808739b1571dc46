// One round of asking a person something, between the authorization request and its answer: told to the pages, and finished by them.
import type { Context } from 'koa'
import { errors, type InteractionResults } from 'oidc-provider'
import { z } from 'zod'
import type { FindAgentOwners } from '../clients/agent-owner.ts'
import type { DetailsTypes } from '../clients/details-types.ts'
import type { ResourceServers } from '../clients/resource-servers.ts'
import type { Actor } from '../platform/actor.ts'
import { type Change, event } from '../platform/data/change.ts'
import { type Database, isUnavailable } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { askedAcr, factorWish } from './acr.ts'
import { type AskedConsent, organizationOf, shownOf } from './asked-consent.ts'
import { chosenSchema } from './asked-organization.ts'
import type { Demands } from './demands.ts'
import { type ClientOnPage, startUrlOf, textOf, toPage } from './engine-pages.ts'
import type { Hear } from './hear.ts'
import { createKeepConsent } from './keep-consent.ts'
import { type AddedFactor, createLoginProgress, type FirstProof, type Found, type Progress } from './login-progress.ts'
import type { Engine } from './provider.ts'
import { repeatedOf } from './repeated.ts'
import { type ShownDetail, showDetails } from './shown-details.ts'

/** What is asked, and for whom. */
export interface Interaction {
  readonly uid: string
  readonly prompt: string
  readonly clientId: string
  /** Absent where it is built in: nobody is asked on another's behalf then. */
  readonly client?: ClientOnPage | undefined
  readonly loginHint?: string
  /** The connection that the client leads to: its id, or that of a connector. */
  readonly connectionHint?: string
  /** Whether a sign-in of the last minutes is asked for: an earlier one elsewhere is not enough (OpenID Connect Core §3.1.2.1). */
  readonly isFreshAsked: boolean
  /** The user who is signed in, if one is. */
  readonly accountId?: string
  /** The same, where it is this user who is to sign in again. */
  readonly againId?: string
  /** What consent is asked for in particular (RFC 9396). */
  readonly details: readonly ShownDetail[]
  /** What consent is asked for. */
  readonly asked: AskedConsent
  /** The name of the organization that consent is asked for, where it is for one. */
  readonly organization?: string
  readonly hasOfflineAccess: boolean
  /** Where the request is made once more, where the browser can do that. */
  readonly repeatedBy?: string
}

/** The interactions of the engine. Each finishing answers the address where the authorization goes on. */
export interface Interactions {
  /** Throws `interaction_expired` when there is none, or this browser is not the one it began in. */
  get(ctx: Context): Promise<Interaction>
  /** Takes the first proof of a sign-in, whose `at` is when it began: what ends the person's access after that ends this sign-in too. The address is of the page that asks for what is still missing, where something is. */
  finishLogin(ctx: Context, proof: FirstProof): Promise<string>
  /** How far the sign-in is; nothing was proven yet where it is not told. */
  getProgress(ctx: Context): Promise<Progress | undefined>
  /** Where the sign-in is by now, also when it is whole; `undefined` where nothing was proven, or not by this challenge. */
  findPlace(ctx: Context, by?: { readonly challengeId: string }): Promise<string | undefined>
  /** Where a client begins a sign-in, as it says: its `initiate_login_uri` or home page. */
  findStartUrl(clientId: string): Promise<string | undefined>
  /** The address where the sign-in is by now. Throws `interaction_expired` where nothing was proven. */
  goOn(ctx: Context): Promise<string>
  /**
   * Takes a second factor of this user, on top of what was proven; one that was enrolled just now is followed by its recovery codes.
   * Throws `interaction_expired` where somebody else is signing in by now.
   */
  addFactor(ctx: Context, factor: AddedFactor): Promise<string>
  /** Notes the enrolment that was begun in this interaction. */
  noteEnrolment(ctx: Context, enrolmentId: string): Promise<void>
  /** The recovery codes were seen: the sign-in goes on. */
  codesSeen(ctx: Context): Promise<string>
  /** Takes the organization that the person chose, one of theirs. */
  chooseOrganization(ctx: Context, organizationId: string): Promise<string>
  finishConsent(ctx: Context, actor: Actor): Promise<string>
  /** The person refused or left: the client is told `access_denied`. */
  refuse(ctx: Context, actor: Actor): Promise<string>
}

/** The events of consent. */
export const interactionEvents = {
  'consent.granted': event('grant', { client_id: z.string(), scopes: z.array(z.string()), organization_id: z.string().optional() }),
  'consent.refused': event('grant', { client_id: z.string() }),
}

interface Needs {
  readonly engine: Engine
  readonly change: Change
  readonly demands: Demands
  readonly database: Database
  readonly hear: Hear
  readonly noteUse: (clientId: string) => Promise<void>
  readonly findAgentOwners: FindAgentOwners
  readonly detailsTypes: DetailsTypes
  readonly resourceServers: ResourceServers
}

/** Makes the entrance's view of interactions. */
export const createInteractions = (needs: Needs): Interactions => {
  const { engine, change, hear, noteUse, findAgentOwners, detailsTypes, resourceServers } = needs
  const details = async (ctx: Context) => translating(() => engine.current().interactionDetails(ctx.req, ctx.res))
  const own = async (ctx: Context) => {
    const found = await details(ctx)
    if (found.uid !== ctx.params.uid) throw new Problem('interaction_expired')
    return found
  }
  // The engine's own way reads the interaction and its session once more.
  const finish = async (found: Found, result: InteractionResults) => {
    found.result = result
    await translating(() => found.persist())
    return found.returnTo
  }
  // A choice is of whoever made it, so it may stay while they prove themselves.
  const save = (found: Found, result: InteractionResults) => finish(found, { ...chosenSchema.safeParse(found.lastSubmission).data, ...result })
  const keepConsent = createKeepConsent({ engine, change })
  const progress = createLoginProgress({ ...needs, find: own, save })

  return {
    get: async ctx => {
      const found = await own(ctx)
      const clientId = String(found.params.client_id)
      await hear(ctx, { clientId, uiLocales: found.params.ui_locales })
      const client = toPage(await engine.current().Client.find(clientId), found.params.redirect_uri)
      const asked = shownOf(found.prompt)
      return {
        uid: found.uid,
        prompt: found.prompt.name,
        clientId,
        client: client && { ...client, agentOf: (await findAgentOwners(found.prompt.name === 'consent' ? [clientId] : [])).get(clientId) },
        loginHint: textOf(found.params.login_hint),
        connectionHint: textOf(found.params.connection) ?? textOf(found.params.idp_hint),
        isFreshAsked: Number(found.params.max_age) <= freshSeconds || (textOf(found.params.prompt)?.split(' ').includes('login') ?? false),
        accountId: found.session?.accountId,
        againId: isAgain(found.prompt) ? found.session?.accountId : undefined,
        asked,
        details: await showDetails(found.prompt.name === 'consent' ? found.params.authorization_details : undefined, { detailsTypes, resourceServers }),
        organization: organizationOf(found.prompt)?.name,
        hasOfflineAccess: asked.scopes.includes('offline_access'),
        repeatedBy: repeatedOf(found),
      }
    },
    finishLogin: progress.begin,
    getProgress: progress.find,
    findPlace: progress.findPlace,
    findStartUrl: async clientId => startUrlOf(await engine.current().Client.find(clientId)),
    goOn: progress.goOn,
    addFactor: progress.addFactor,
    noteEnrolment: progress.noteEnrolment,
    codesSeen: progress.codesSeen,
    chooseOrganization: async (ctx, id) => {
      const found = await own(ctx)
      const accountId = found.session?.accountId
      if (found.prompt.name !== 'organization' || !accountId) throw new Problem('interaction_expired')
      return finish(found, { ...found.lastSubmission, organization: { id, accountId } })
    },
    finishConsent: async (ctx, actor) => {
      const found = await own(ctx)
      const { session, prompt, grantId: known } = found
      if (prompt.name !== 'consent' || !session?.accountId) throw new Problem('interaction_expired')
      const { accountId, uid: sid } = session
      const clientId = String(found.params.client_id)
      const { grantId, organizationId } = await keepConsent(actor, { prompt, accountId, clientId, grantId: known, sid })
      await noteUse(clientId)
      // What was consented to is for this organization, whatever is chosen elsewhere in the meantime.
      const organization = organizationId === undefined ? {} : { organization: { id: organizationId, accountId } }
      return finish(found, { ...found.lastSubmission, ...organization, consent: { grantId } })
    },
    refuse: async (ctx, actor) => {
      const found = await own(ctx)
      const [id, refused] = [found.session?.accountId, { client_id: String(found.params.client_id) }]
      // Who leaves a sign-in refused nothing yet, and what they tried of it is told by itself.
      if (id !== undefined && (found.prompt.name === 'consent' || found.prompt.name === 'organization'))
        await change({ ...actor, kind: 'user', id }, async (_tx, record) => record('consent.refused', refused, { outcome: 'refused' }))
      // Who was asked for a class that must be and leaves before giving it could not be authenticated as asked.
      const asked = askedAcr(found.params)
      const isUnmet = (found.prompt.name === 'mfa' || found.result?.pending !== undefined) && (asked.isEssential || factorWish(asked) === 'demand')
      const result = isUnmet
        ? { error: 'unmet_authentication_requirements', error_description: 'the requested ACR was not given' }
        : { error: 'access_denied', error_description: 'the user refused' }
      return finish(found, result)
    },
  }
}

// Who allows more than that is content with a sign-in elsewhere, whose time is compared when it is told.
const freshSeconds = 300

// What was asked for, or lies too far back; any other reason is that it must be somebody else, or that the user has gone.
const again = new Set(['login_prompt', 'max_age', 'enrolment_stale'])

const isAgain = ({ name, reasons }: { name: string; reasons: readonly string[] }): boolean => name === 'login' && reasons.every(reason => again.has(reason))

const translating = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  try {
    return await work()
  } catch (error) {
    if (error instanceof errors.SessionNotFound) throw new Problem('interaction_expired', { cause: error })
    throw isUnavailable(error) ? new Problem('unavailable', { cause: error, retryAfterSeconds: 5 }) : error
  }
}
