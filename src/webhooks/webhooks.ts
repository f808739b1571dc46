// Webhooks as their administrators make and change them: the secret is told once, and an old one signs for a day beside the new.
import type { Actor } from '../platform/actor.ts'
import type { Change, RecordEvent } from '../platform/data/change.ts'
import { toldNamesOf } from '../platform/data/changed.ts'
import type { Database, TransactionClient } from '../platform/data/database.ts'
import { type Found, type PageRequest, pageOf } from '../platform/data/page.ts'
import { Problem } from '../platform/errors.ts'
import { refusalOfHost } from '../platform/http/outbound.ts'
import type { Secrets } from '../platform/secrets.ts'
import { findSecrets, inUse, newSecret, sealSecrets } from './signature.ts'
import { testEvent, told, toWebhook, type Webhook, type WebhookKey, type WebhookRow } from './webhook.ts'

/** What of a webhook is said. */
export interface WebhookChanges {
  readonly name?: string | null | undefined
  readonly url?: string | undefined
  readonly events?: readonly string[] | undefined
  readonly isDisabled?: boolean | undefined
}

/** The webhooks of the system and of organizations. Each throws `not_found` for one that is not there. */
export interface Webhooks {
  /** The newest first. */
  list(organizationId: string | undefined, page: PageRequest): Promise<Found<Webhook>>
  get(key: WebhookKey): Promise<Webhook>
  /** The secret is told only here. Throws `validation_failed` for an address that is not taken, and `too_many_webhooks` beyond twenty. */
  create(actor: Actor, webhook: NewWebhook): Promise<{ webhook: Webhook; secret: string }>
  /**
   * Another address is sent to from the next try on, and one that is enabled goes on where it stopped. `expect` is called with what is about to be
   * changed. Throws `validation_failed` for an address that is not taken.
   */
  update(actor: Actor, key: WebhookKey, changes: WebhookChanges & { readonly expect?: Expect }): Promise<Webhook>
  /** What waited for it is never sent. `expect` is called with what is about to be deleted. */
  remove(actor: Actor, key: WebhookKey, options?: { readonly expect?: Expect }): Promise<void>
  /** Makes a new secret, told only here. Those before it sign for a day more; of several the newest four; of those that open under no key none. */
  rotate(actor: Actor, key: WebhookKey): Promise<{ webhook: Webhook; secret: string }>
  /** Sends an event `webhook.test`, in its turn. Throws `webhook_disabled` where nothing is sent. */
  test(actor: Actor, key: WebhookKey): Promise<void>
}

type Expect = (webhook: Webhook) => void

/** What a new webhook is made of. */
export interface NewWebhook {
  readonly organizationId?: string | undefined
  readonly name?: string | null | undefined
  readonly url: string
  readonly events: readonly string[]
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly secrets: Secrets
  readonly lockOrganization: (tx: TransactionClient, id: string) => Promise<unknown>
  /** Whether addresses without TLS are taken: in development alone. */
  readonly isPlainAllowed: boolean
  /** Whether an address is connected to; a host that is one itself is taken only then. */
  readonly isReached: (address: string) => boolean
  readonly randomBytes: (size: number) => Buffer
  readonly newUuid: () => string
  readonly now: () => Date
}

const maxWebhooks = 20
const maxFormerSecrets = 4
const overlapMilliseconds = 86_400_000

/** Makes the service. */
export const createWebhooks = (needs: Needs): Webhooks => {
  const { database, change, secrets, lockOrganization, isPlainAllowed, isReached, randomBytes, newUuid, now } = needs
  const mustBeTaken = (url: string | undefined) => {
    if (url !== undefined && !isTaken(url, isPlainAllowed))
      throw fault('url', `must be an ${isPlainAllowed ? 'http or ' : ''}https address without credentials`)
    const refusal = url === undefined ? undefined : refusalOfHost(new URL(url), isReached)
    if (refusal) throw fault('url', refusal.message)
  }
  /** Changes a webhook while nobody else does. */
  const changeWebhook = <Result>(actor: Actor, key: WebhookKey, work: (tx: TransactionClient, row: SealedRow, record: RecordEvent) => Promise<Result>) =>
    change(actor, async (tx, record) => {
      if (key.organizationId !== undefined) await lockOrganization(tx, key.organizationId)
      await tx.$queryRaw`SELECT id FROM webhooks WHERE id = ${key.id}::uuid FOR NO KEY UPDATE`
      return work(tx, await find(tx, key), (name, target) => record(name, target, { organizationId: key.organizationId }))
    })

  return {
    list: async (organizationId, page) => {
      const where = { organizationId: organizationId ?? null }
      const [rows, total] = await Promise.all([database.prisma.webhook.findMany(pageOf(where, page)), database.prisma.webhook.count({ where })])
      return { rows: rows.map(toWebhook), total }
    },
    get: async key => toWebhook(await find(database.prisma, key)),
    create: async (actor, { organizationId, name, url, events }) => {
      mustBeTaken(url)
      const id = newUuid()
      const secret = newSecret(randomBytes)
      return change(actor, async (tx, record) => {
        await mustHaveRoom(tx, { organizationId, lockOrganization })
        const data = { id, organizationId, name: name ?? null, url, events: [...events], secrets: sealSecrets(secrets, { id, all: [{ secret }] }) }
        const row = await tx.webhook.create({ data })
        record('webhook.created', told(row), { organizationId })
        return { webhook: toWebhook(row), secret }
      })
    },
    update: async (actor, key, { expect, ...changes }) => {
      mustBeTaken(changes.url)
      const changed = toldNamesOf(changes)
      if (changed.length === 0) {
        const webhook = toWebhook(await find(database.prisma, key))
        expect?.(webhook)
        return webhook
      }
      return changeWebhook(actor, key, async (tx, before, record) => {
        expect?.(toWebhook(before))
        const row = await tx.webhook.update({ where: { id: key.id }, data: dataOf(changes, before, now) })
        record('webhook.updated', { ...told(row), changed })
        return toWebhook(row)
      })
    },
    remove: (actor, key, { expect } = {}) =>
      changeWebhook(actor, key, async (tx, row, record) => {
        expect?.(toWebhook(row))
        await tx.webhook.delete({ where: { id: key.id } })
        // Its deliveries may be millions: nobody sees them any more, and they are purged as they grow old.
        record('webhook.deleted', told(row))
      }),
    rotate: (actor, key) => {
      const secret = newSecret(randomBytes)
      return changeWebhook(actor, key, async (tx, before, record) => {
        const until = new Date(now().getTime() + overlapMilliseconds).toISOString()
        const former = inUse(findSecrets(secrets, { id: key.id, sealed: before.secrets }), now()).slice(0, maxFormerSecrets)
        const sealed = sealSecrets(secrets, { id: key.id, all: [{ secret }, ...former.map(one => ({ until, ...one }))] })
        const row = await tx.webhook.update({ where: { id: key.id }, data: { secrets: sealed } })
        record('webhook.secret_rotated', told(row))
        return { webhook: toWebhook(row), secret }
      })
    },
    test: (actor, key) =>
      changeWebhook(actor, key, async (_tx, row, record) => {
        if (row.disabledAt !== null) throw new Problem('webhook_disabled')
        record(testEvent, told(row))
      }),
  }
}

interface SealedRow extends WebhookRow {
  readonly secrets: string
}

const find = async (tx: Pick<TransactionClient, 'webhook'>, { id, organizationId }: WebhookKey): Promise<SealedRow> => {
  const row = await tx.webhook.findFirst({ where: { id, organizationId: organizationId ?? null } })
  if (!row) throw new Problem('not_found')
  return row
}

// The system has no row of its own to lock, and may have no webhook yet.
const lockNumber = 72707370

// Who makes one more waits for who does the same.
const mustHaveRoom = async (
  tx: TransactionClient,
  { organizationId, lockOrganization }: Pick<Needs, 'lockOrganization'> & { organizationId: string | undefined },
) => {
  if (organizationId !== undefined) await lockOrganization(tx, organizationId)
  else await tx.$executeRaw`SELECT pg_advisory_xact_lock(${lockNumber})`
  if ((await tx.webhook.count({ where: { organizationId: organizationId ?? null } })) >= maxWebhooks) throw new Problem('too_many_webhooks')
}

const dataOf = ({ name, url, events, isDisabled }: WebhookChanges, before: WebhookRow, now: () => Date) => ({
  ...(name === undefined ? {} : { name }),
  ...(url === undefined ? {} : { url }),
  ...(events === undefined ? {} : { events: [...events] }),
  ...(isDisabled === true ? { disabledAt: before.disabledAt ?? now(), disabledReason: before.disabledReason ?? 'asked' } : {}),
  ...(isDisabled === false ? { disabledAt: null, disabledReason: null } : {}),
  ...(url !== undefined || (isDisabled === false && before.disabledAt !== null) ? mended : {}),
})

// A new address, or one that was mended, is tried at once, and has all its tries. A try that is under way speaks for it no more.
const mended = { nextAt: new Date(0), failures: 0, isSlow: false, lease: { increment: 1 }, lockedUntil: null }

const isTaken = (url: string, isPlainAllowed: boolean): boolean => {
  if (!URL.canParse(url)) return false
  const { protocol, username, password } = new URL(url)
  return (protocol === 'https:' || (isPlainAllowed && protocol === 'http:')) && username === '' && password === ''
}

const fault = (path: string, message: string) => new Problem('validation_failed', { fields: [{ path, message }] })
