// What a token leads to: its session and its grant. The engine asks for one after the other; both come with the token where one store has them all, and
// are asked for in one turn where it was kept elsewhere. Each is taken once, in the same request, and only in the moment after it was found.
import Provider from 'oidc-provider'
import { type ArtifactStore, leadingKinds, type Payload, type StoredArtifact } from './artifact.ts'
import type { PostgresArtifacts } from './artifacts-postgres.ts'

interface Ahead<Found> {
  readonly name: string
  readonly found: Promise<Found>
  /** As `performance.now()` told it. */
  readonly at: number
}

interface State {
  grantAhead?: Ahead<StoredArtifact | undefined> | undefined
  sessionsAhead?: Ahead<readonly Payload[]> | undefined
}

const momentMilliseconds = 100
const leading: ReadonlySet<string> = new Set(leadingKinds)

/** Adds it to the stores: `durable` keeps sessions and grants, `volatile` may keep codes. */
export const lookAhead = (durable: PostgresArtifacts, volatile: ArtifactStore): { durable: PostgresArtifacts; volatile: ArtifactStore } => {
  const note = ({ payload: { grantId, sessionUid, expiresWithSession }, leadsTo }: StoredArtifact) => {
    const state = ofRequest()
    if (!state) return
    const isBound = typeof sessionUid === 'string' && expiresWithSession === true
    state.grantAhead = typeof grantId === 'string' ? ahead(grantId, leadsTo ? Promise.resolve(leadsTo.grant) : durable.find('Grant', grantId)) : undefined
    state.sessionsAhead = isBound ? ahead(sessionUid, leadsTo ? Promise.resolve(leadsTo.sessions) : durable.findSessions(sessionUid)) : undefined
  }

  const findIn =
    (store: ArtifactStore): ArtifactStore['find'] =>
    async (kind, id) => {
      const found = await store.find(kind, id)
      if (found && leading.has(kind)) note(found)
      return found
    }

  const findLeading = findIn(durable)
  const looking: PostgresArtifacts = {
    ...durable,
    find: (kind, id) => (kind === 'Grant' ? (take('grantAhead', id) ?? durable.find(kind, id)) : findLeading(kind, id)),
    findSessions: uid => take('sessionsAhead', uid) ?? durable.findSessions(uid),
    // What the request itself changes it looks at again.
    put: afterwards(durable.put),
    putGrant: afterwards(durable.putGrant),
    revokeGrant: afterwards(durable.revokeGrant),
    revokeFamily: afterwards(durable.revokeFamily),
  }
  return { durable: looking, volatile: volatile === durable ? looking : { ...volatile, find: findIn(volatile) } }
}

const ofRequest = (): State | undefined => Provider.ctx?.state

const ahead = <Found>(name: string, found: Promise<Found>): Ahead<Found> => {
  // Nobody may ever take it.
  found.catch(() => undefined)
  return { name, found, at: performance.now() }
}

const take = <Which extends keyof State>(which: Which, name: string): NonNullable<State[Which]>['found'] | undefined => {
  const state = ofRequest()
  const known = state?.[which]
  if (!state || known?.name !== name) return undefined
  state[which] = undefined
  return performance.now() - known.at < momentMilliseconds ? known.found : undefined
}

const afterwards =
  <Args extends unknown[]>(change: (...args: Args) => Promise<void>) =>
  async (...args: Args): Promise<void> => {
    await change(...args)
    const state = ofRequest()
    if (state) state.grantAhead = undefined
  }
