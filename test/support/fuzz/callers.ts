// The fuzzer's callers: credentials that live, and are made anew when the run has taken their lives.
import { randomUUID } from 'node:crypto'
import { permissions } from '../../../src/api/permissions.ts'
import { systemActor } from '../../../src/platform/actor.ts'
import { Problem } from '../../../src/platform/errors.ts'
import type { TestServer } from '../server.ts'
import type { Pool } from './living.ts'
import type { CallerKind } from './request.ts'
import { knownPassword } from './sound.ts'

/** Somebody who can call. */
export interface Caller {
  readonly token?: string
  /** The organization that is theirs. */
  readonly organizationId?: string
  readonly userId?: string
}

/** After so many requests a caller is made anew: their rights may have been taken without a 401. */
const usesOfOne = 40

/** Makes them as they are asked for. */
export const createCallers = ({ services }: TestServer, pool: Pool) => {
  const makers: Record<Exclude<CallerKind, 'nobody' | 'garbage'>, () => Promise<Caller>> = {
    person: () => makePerson({}),
    admin: () => makePerson({ isAdmin: true }),
    owner: async () => {
      const { userId, token } = await makePerson({})
      const { id: organizationId } = await services.organizations.create(systemActor, { name: `Fuzz ${randomUUID()}`, ownerId: userId })
      return { userId, token, organizationId }
    },
    systemKey: async () => ({ token: (await services.apiKeys.create(systemActor, { name: 'fuzz', permissions })).key }),
    organizationKey: async () => {
      const { id: organizationId } = await services.organizations.create(systemActor, { name: `Fuzz ${randomUUID()}` })
      return { organizationId, token: (await services.apiKeys.create(systemActor, { name: 'fuzz', permissions, organizationId })).key }
    },
  }

  const makePerson = async ({ isAdmin = false }) => {
    const email = `${randomUUID()}@people.example`
    const { id } = await services.users.create(systemActor, { email, name: 'A Fuzzer', isEmailVerified: true, isAdmin })
    // Hashing is slow, and the operations that ask for one's password are mostly asked by people without a role.
    if (!isAdmin) {
      await services.signIn.setPassword(systemActor, { id, password: knownPassword })
      pool.add('fuzzer', email)
    }
    const { token } = await services.apiSessions.begin({ ...systemActor, id }, { userId: id, amr: ['pwd'], since: new Date(Date.now() + 1000) })
    return { userId: String(id), token }
  }

  const alive = new Map<CallerKind, { caller: Promise<Caller>; uses: number }>()
  return {
    /** The caller of a kind; nobody and whoever has a wrong credential have no token. */
    get: async (kind: CallerKind): Promise<Caller> => {
      if (kind === 'nobody' || kind === 'garbage') return {}
      let found = alive.get(kind)
      if (!found || found.uses >= usesOfOne) {
        found = { caller: again(makers[kind]), uses: 0 }
        alive.set(kind, found)
      }
      found.uses += 1
      return found.caller
    },
    /** To be told when a credential was refused. */
    bury: (kind: CallerKind) => alive.delete(kind),
  }
}

// Another request of the run may take away at once what is being made.
const again = async (make: () => Promise<Caller>, left = 5): Promise<Caller> => {
  try {
    return await make()
  } catch (error) {
    if (left === 0 || !(error instanceof Problem)) throw error
    return again(make, left - 1)
  }
}

/** The callers of a run. */
export type Callers = ReturnType<typeof createCallers>
