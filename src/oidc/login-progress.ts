// A sign-in on its way: what was proven in an interaction so far lives in the interaction, and what is still missing comes from the policy's demands.
import type { Context } from 'koa'
import type { InteractionResults } from 'oidc-provider'
import { multiFactor, withSecondFactor } from '../mfa/authenticator.ts'
import type { Actor } from '../platform/actor.ts'
import type { Database } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { hasAccessSince } from '../users/hold-user.ts'
import type { Demands, NextProof } from './demands.ts'
import { interactionPath } from './paths.ts'
import { finishedSchema, type Pending, pendingSchema, provenAtOf, toResult } from './pending-sign-in.ts'
import type { Engine } from './provider.ts'
import { proverOf } from './session-fields.ts'

/** A proof of who somebody is: the first one of a sign-in. */
export interface FirstProof {
  readonly accountId: string
  readonly amr: readonly string[]
  readonly isRemembered: boolean
  readonly at: Date
  /** When the person proved themselves to another provider, which sent them here without asking again: it becomes `auth_time`. */
  readonly authenticatedAt?: Date
  /** When the person was last asked for a proof, where that may be long before `at`: what is sensitive goes by it. */
  readonly askedAt?: Date
  /** The challenge that was answered, where it was one: its answer, sent again, goes where the first went. */
  readonly challengeId?: string
  /** The account at another provider by which they came. */
  readonly identityId?: string
  /** The organization for which alone this is a proof. */
  readonly confinedTo?: string | undefined
}

/** A second factor on top of it. */
export interface AddedFactor {
  readonly userId: string
  readonly amr: readonly string[]
  /** When its proof began: where such a factor is removed after that, it counts no more. */
  readonly at: Date
  /** Whether it was enrolled just now. */
  readonly isEnrolled?: boolean
}

/** How far a sign-in is. */
export interface Progress {
  readonly userId: string
  /** What has to be proven next; nothing when the recovery codes are all that is still to be seen. */
  readonly next?: NextProof
  /** The enrolment that was begun in this interaction, and is shown in no other. */
  readonly enrolmentId?: string
  readonly areCodesDue: boolean
  /** What whoever is here acts by: the session that goes on, or what they proved in this sign-in. */
  readonly actsBy: Pick<Actor, 'sessionId' | 'provenAt'>
}

/** Moves a sign-in on. Each answers the address where it goes on: a page of ours, or the authorization request. */
export interface LoginProgress {
  find(ctx: Context): Promise<Progress | undefined>
  /** Where the sign-in is by now, also when it is whole; `undefined` where nothing was proven, or not by this challenge. */
  findPlace(ctx: Context, by?: { readonly challengeId: string }): Promise<string | undefined>
  goOn(ctx: Context): Promise<string>
  begin(ctx: Context, proof: FirstProof): Promise<string>
  addFactor(ctx: Context, factor: AddedFactor): Promise<string>
  noteEnrolment(ctx: Context, enrolmentId: string): Promise<void>
  codesSeen(ctx: Context): Promise<string>
}

/** An interaction of the engine. */
export type Found = InstanceType<ReturnType<Engine['current']>['Interaction']>

interface Needs {
  readonly engine: Engine
  readonly demands: Demands
  readonly database: Database
  /** The interaction of this browser and address. Throws `interaction_expired`. */
  readonly find: (ctx: Context) => Promise<Found>
  readonly save: (found: Found, result: InteractionResults) => Promise<string>
}

/** Makes it. */
export const createLoginProgress = ({ engine, demands, database, find, save }: Needs): LoginProgress => {
  const nextOf = async (found: Found, { accountId, amr, isSignIn, confinedTo }: Pending) => {
    const next = await demands.next({ userId: accountId, amr, isSigningIn: isSignIn, clientId: String(found.params.client_id), params: found.params })
    // A factor is for the whole account, and whoever runs the provider would hold it.
    if (next === 'enrolment' && confinedTo !== undefined) throw new Problem('upstream_confined')
    return next
  }

  const goOn = async (found: Found, pending: Pending): Promise<string> => {
    const next = await nextOf(found, pending)
    if (next === undefined && !pending.areCodesDue) return save(found, toResult(pending))
    await save(found, { pending })
    if (next === undefined) return `${interactionPath(found)}/recovery-codes`
    return `${interactionPath(found)}/${next === 'enrolment' ? 'enrol' : 'second-factor'}`
  }

  // What was proven before the person's access ended is as if it were not proven: it begins anew. A session that ended has no interaction.
  const isOver = async (pending: Pending) =>
    pending.isSignIn && !(await hasAccessSince(database.prisma, { userId: pending.accountId, since: provenAtOf(pending) }))

  // A step up goes on from what the session proved; a sign-in from what this interaction did.
  const findPending = async (found: Found): Promise<Pending | undefined> => {
    const kept = pendingSchema.safeParse(found.result?.pending)
    if (kept.success) return (await isOver(kept.data)) ? undefined : kept.data
    if (found.prompt.name !== 'mfa' || !found.session) return undefined
    const session = await engine.current().Session.findByUid(found.session.uid)
    if (!session?.accountId || session.accountId !== found.session.accountId) throw new Problem('interaction_expired')
    const { accountId, amr = [], loginTs = 0, transient } = session
    return { accountId, amr, isRemembered: !transient, provenAt: loginTs, isSignIn: false, ...proverOf(session) }
  }

  const change = async (ctx: Context, changed: (pending: Pending) => Pending): Promise<string> => {
    const found = await find(ctx)
    const pending = await findPending(found)
    if (!pending) throw new Problem('interaction_expired')
    return goOn(found, changed(pending))
  }

  return {
    find: async ctx => {
      const found = await find(ctx)
      const pending = await findPending(found)
      if (!pending) return undefined
      const next = await nextOf(found, pending)
      const { accountId: userId, enrolmentId, areCodesDue = false } = pending
      return { userId, next, enrolmentId, areCodesDue, actsBy: actsBy(found, pending) }
    },
    findPlace: async (ctx, by) => {
      const found = await find(ctx)
      const isMeant = ({ challengeId }: { challengeId?: string | undefined }) => by === undefined || challengeId === by.challengeId
      const whole = finishedSchema.safeParse(found.result)
      if (whole.success) return isMeant(whole.data.login) ? found.returnTo : undefined
      const pending = await findPending(found)
      return pending && isMeant(pending) ? goOn(found, pending) : undefined
    },
    goOn: ctx => change(ctx, pending => pending),
    begin: async (ctx, { accountId, amr, isRemembered, at, authenticatedAt = at, askedAt, challengeId, identityId, confinedTo }) => {
      const seconds = (time: Date) => Math.min(at.getTime(), time.getTime()) / 1000
      const times = { provenAt: seconds(at), authenticatedAt: seconds(authenticatedAt), ...(askedAt ? { askedAt: seconds(askedAt) } : {}) }
      const pending = { challengeId, identityId, confinedTo, accountId, amr: [...amr], isRemembered, ...times, isSignIn: true }
      return goOn(await find(ctx), pending)
    },
    addFactor: (ctx, { userId, amr, at, isEnrolled = false }) =>
      change(ctx, pending => {
        // The account may be switched in another tab while a factor is proven: it is nobody else's.
        if (pending.accountId !== userId) throw new Problem('interaction_expired')
        return { ...pending, amr: withSecondFactor(pending.amr, amr), factorAt: at.getTime() / 1000, areCodesDue: isEnrolled }
      }),
    noteEnrolment: async (ctx, enrolmentId) => {
      await change(ctx, pending => ({ ...pending, enrolmentId }))
    },
    codesSeen: ctx =>
      change(ctx, pending => {
        if (!pending.amr.includes(multiFactor)) throw new Problem('interaction_expired')
        return { ...pending, areCodesDue: false }
      }),
  }
}

const actsBy = ({ session }: Found, pending: Pending): Progress['actsBy'] =>
  pending.isSignIn || !session ? { provenAt: provenAtOf(pending) } : { sessionId: session.uid }
