// Clients that are known by nothing but the address of a document that tells of them (draft-ietf-oauth-client-id-metadata-document-02).
import type { Actor } from '../platform/actor.ts'
import { createMemo } from '../platform/data/memo.ts'
import { Problem } from '../platform/errors.ts'
import { addressKey, type MakeLimit, networkOf } from '../platform/http/limit.ts'
import type { ClientMetadata } from './client.ts'
import type { Clients } from './clients.ts'
import { type DocumentRule, documentAddress, isHostAllowed } from './document-address.ts'
import type { DocumentRows, KnownDocument } from './document-rows.ts'
import { DocumentRefused } from './document-rules.ts'
import { DocumentUnreachable, type FetchedDocument } from './fetch-document.ts'

/** Who asks for a client, and what may be done about it. */
export interface DocumentVisit {
  readonly actor: Actor
  /** Whether a client that was never seen is looked up. */
  readonly isNewTaken: boolean
  /** Throws {@link DocumentRefused} for metadata that the protocol's engine would not take. */
  readonly check: (metadata: ClientMetadata) => void
}

/** These clients. */
export interface DocumentClients {
  /**
   * Reads the client's document where that is due: afterwards the client is found as any other. A document whose server fails is believed
   * for a day; one that is gone or wrong ends what the client may do until it is good again. Does nothing for other identifiers. Throws
   * {@link DocumentRefused}, {@link DocumentUnreachable}, and `too_many_attempts` for who leads us to too many addresses.
   */
  refresh(clientId: string, visit: DocumentVisit): Promise<void>
}

interface Needs {
  readonly rows: DocumentRows
  readonly clients: Pick<Clients, 'forget'>
  readonly rule: DocumentRule
  readonly issuer: string
  readonly limit: MakeLimit
  readonly fetchDocument: (address: URL) => Promise<FetchedDocument>
  readonly now: () => Date
}

const believedMilliseconds = 86_400_000
const retryMilliseconds = 60_000
const refusedMilliseconds = 300_000
const maxRefusals = 10_000

/** Makes them. */
export const createDocumentClients = ({ rows, clients, rule, issuer, limit, fetchDocument, now }: Needs): DocumentClients => {
  const memo = createMemo({ ttlMilliseconds: 1000, now, load: rows.find })
  const takeSight = createSights(limit)
  const refusals = new Map<string, { error: Error; until: number }>()
  const underWay = new Map<string, Promise<void>>()
  const inAWhile = (milliseconds: number) => new Date(now().getTime() + milliseconds)

  const forget = (clientId: string) => {
    memo.forget(clientId)
    clients.forget(clientId)
  }
  const read = async (address: URL, { check }: DocumentVisit) => {
    const fetched = await fetchDocument(address)
    check(fetched.metadata)
    return fetched
  }
  const meet = async (address: URL, visit: DocumentVisit) => {
    try {
      await rows.keep(visit.actor, await read(address, visit))
    } catch (error) {
      if (error instanceof Problem && error.code === 'client_id_taken') return
      if (!(error instanceof DocumentRefused || error instanceof DocumentUnreachable)) throw error
      if (refusals.size >= maxRefusals) refusals.clear()
      refusals.set(address.href, { error, until: now().getTime() + retryMilliseconds })
      throw error
    }
  }
  const meetAgain = async (address: URL, visit: DocumentVisit & { readonly seen: KnownDocument & { fetched_at: Date } }) => {
    const { actor, seen } = visit
    try {
      await rows.keep(actor, await read(address, visit))
    } catch (error) {
      if (error instanceof DocumentUnreachable && !seen.refused_at && now().getTime() < seen.fetched_at.getTime() + believedMilliseconds)
        return rows.prolong(seen.id, inAWhile(retryMilliseconds))
      if (!(error instanceof DocumentRefused || error instanceof DocumentUnreachable)) throw error
      const freshUntil = inAWhile(error instanceof DocumentRefused ? refusedMilliseconds : retryMilliseconds)
      await rows.refuse(actor, { id: seen.id, clientId: address.href, freshUntil })
      throw error
    }
  }
  /** One at a time for each client. */
  const once = (clientId: string, work: () => Promise<void>): Promise<void> => {
    const running = underWay.get(clientId)
    if (running) return running
    const started = work().finally(() => {
      underWay.delete(clientId)
      forget(clientId)
    })
    underWay.set(clientId, started)
    return started
  }

  return {
    refresh: async (clientId, visit) => {
      const address = documentAddress(clientId)
      if (!address) return
      if (!isHostAllowed(address, rule) || address.hostname === new URL(issuer).hostname) throw new DocumentRefused('clients of this host are not taken here')
      const seen = await memo.get(clientId)
      if (!seen) {
        const refusal = refusals.get(clientId)
        if (refusal && refusal.until > now().getTime()) throw refusal.error
        if (!visit.isNewTaken) return
        if (!underWay.has(clientId)) await takeSight(address, visit.actor)
        return once(clientId, () => meet(address, visit))
      }
      const { fetched_at, fresh_until, refused_at } = seen
      if (seen.is_ended || !fetched_at || !fresh_until) return
      if (fresh_until <= now()) return once(clientId, () => meetAgain(address, { ...visit, seen: { ...seen, fetched_at } }))
      if (refused_at) throw new DocumentRefused('the document was refused when it was last read')
    },
  }
}

// Whoever may name an address has us ask a server of their choice: so many new ones an address, a network, a server, and in all.
const createSights = (limit: MakeLimit) => {
  const durationSeconds = 600
  const byAddress = limit('client-document:address', { points: 20, durationSeconds })
  const byNetwork = limit('client-document:network', { points: 60, durationSeconds })
  const byHost = limit('client-document:host', { points: 30, durationSeconds })
  const all = limit('client-document:all', { points: 1000, durationSeconds })
  return async ({ hostname }: URL, { ip = '' }: Actor) => {
    await byAddress.consume(addressKey(ip))
    await byNetwork.consume(networkOf(ip))
    await byHost.consume(hostname)
    await all.consume('all')
  }
}

/** Clients as they are found with this rule: those of a host that is not let in are not there, and nobody's document makes one of the operator's own. */
export const withDocumentRule = (clients: Clients, { rule }: { readonly rule: DocumentRule }): Clients => ({
  ...clients,
  find: clientId => {
    const address = documentAddress(clientId)
    return address && !isHostAllowed(address, rule) ? Promise.resolve(undefined) : clients.find(clientId)
  },
})
