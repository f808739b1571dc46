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

/** What a request has found ahead. */
interface Found {
  grant?: Ahead<StoredArtifact | undefined> | undefined
  sessions?: Ahead<readonly Payload[]> | undefined
}

interface Needs {
  /** Keeps sessions and grants. */
  readonly durable: PostgresArtifacts
  /** May keep codes. */
  readonly volatile: ArtifactStore
  /** The state of the request that runs; absent outside of any. */
  readonly stateOf?: () => { ahead?: Found } | undefined
}

const momentMilliseconds = 100
const leading: ReadonlySet<string> = new Set(leadingKinds)

/** Adds it to the stores. */
export const lookAhead = ({ durable, volatile, stateOf = () => Provider.ctx?.state }: Needs): { durable: PostgresArtifacts; volatile: ArtifactStore } => {
  const note = ({ payload: { grantId, sessionUid, expiresWithSession }, leadsTo, isConsumed }: StoredArtifact) => {
    const state = stateOf()
    // From a code that was used before nobody goes on.
    if (!state || (isConsumed && !leadsTo)) return
    const isBound = typeof sessionUid === 'string' && expiresWithSession === true
    const session = leadsTo?.session?.uid === sessionUid ? leadsTo?.session : undefined
    state.ahead = {
      grant: typeof grantId === 'string' ? ahead(grantId, leadsTo ? Promise.resolve(leadsTo.grant) : durable.find('Grant', grantId)) : undefined,
      sessions: isBound ? ahead(sessionUid, session ? Promise.resolve(session.rows) : durable.findSessions(sessionUid)) : undefined,
    }
  }

  const findLeading = async (store: ArtifactStore, { kind, id }: { kind: string; id: string }) => {
    const found = await store.find(kind, id)
    if (found) note(found)
    return found
  }
  const findIn =
    (store: ArtifactStore): ArtifactStore['find'] =>
    (kind, id) =>
      leading.has(kind) ? findLeading(store, { kind, id }) : store.find(kind, id)

  const take = <Which extends keyof Found>(which: Which, name: string): NonNullable<Found[Which]>['found'] | undefined => {
    const found = stateOf()?.ahead
    const known = found?.[which]
    if (!found || known?.name !== name) return undefined
    found[which] = undefined
    return performance.now() - known.at < momentMilliseconds ? known.found : undefined
  }

  // What the request itself changes it looks at again.
  const afterwards =
    <Args extends unknown[], Answer>(change: (...args: Args) => Promise<Answer>) =>
    async (...args: Args): Promise<Answer> => {
      const answer = await change(...args)
      const state = stateOf()
      if (state?.ahead) state.ahead.grant = undefined
      return answer
    }

  const findDurable = findIn(durable)
  const looking: PostgresArtifacts = {
    ...durable,
    find: (kind, id) => (kind === 'Grant' ? (take('grant', id) ?? durable.find(kind, id)) : findDurable(kind, id)),
    findSessions: uid => take('sessions', uid) ?? durable.findSessions(uid),
    put: afterwards(durable.put),
    putGrant: afterwards(durable.putGrant),
    revokeGrant: afterwards(durable.revokeGrant),
    revokeFamily: afterwards(durable.revokeFamily),
  }
  return { durable: looking, volatile: volatile === durable ? looking : { ...volatile, find: findIn(volatile) } }
}

const ahead = <Value>(name: string, found: Promise<Value>): Ahead<Value> => {
  // Nobody may ever take it.
  found.catch(() => undefined)
  return { name, found, at: performance.now() }
}
