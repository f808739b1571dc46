// Pictures of tenants and clients: fetched once, kept by what they are, and shown from our own origin.
import { createHash } from 'node:crypto'
import type { Actor } from '../platform/actor.ts'
import { type BrandingSettings, imageFields } from '../platform/branding-settings.ts'
import { type Database, statement, type TransactionClient } from '../platform/data/database.ts'
import { createMemo } from '../platform/data/memo.ts'
import { type FieldFault, Problem } from '../platform/errors.ts'
import type { MakeLimit } from '../platform/http/limit.ts'
import { type JobHandler, jobHandler } from '../platform/jobs/job.ts'
import type { Queue } from '../platform/jobs/queue.ts'
import type { Log } from '../platform/log.ts'
import { fetchImage, ImageFault } from './fetch-image.ts'
import { type Image, keepImage } from './image.ts'

/** The pictures of the hosted pages. */
export interface Images {
  /** Fetches the pictures of a branding that is about to be saved. Throws `validation_failed` at each below `path` that is not to be had, `too_many_attempts`. */
  keepAll(actor: Actor, branding: BrandingSettings | undefined, path: string): Promise<void>
  /** Asks for the picture at an address to be fetched later, in the transaction of the change that named it. */
  ask(tx: TransactionClient, address: unknown): Promise<void>
  /** The address on our own origin of the picture that was found at another; at most a second old. */
  find(address: string | undefined): Promise<string | undefined>
  /** The branding with the pictures on our own origin, and without those that were never fetched. */
  own(branding: BrandingSettings): Promise<BrandingSettings>
  /** A picture by its SHA-256 in hexadecimal. */
  get(hash: string): Promise<Image | undefined>
  /** Fetches what was asked for; what is not to be had is left out. */
  readonly handler: JobHandler
}

interface Needs {
  readonly database: Database
  readonly queue: Queue
  readonly limit: MakeLimit
  readonly log: Log
  readonly now: () => Date
  /** Guarded, and for answers as large as a picture may be. */
  readonly fetch: typeof fetch
}

// One that is there already becomes a new one, which is not forgotten before its address is written.
const put = statement('image-put', 'INSERT INTO images (hash, type, bytes) VALUES ($1, $2, $3) ON CONFLICT (hash) DO UPDATE SET created_at = now()')
const point = statement(
  'image-point',
  'INSERT INTO image_addresses (address, image_hash) VALUES ($1, $2) ON CONFLICT (address) DO UPDATE SET image_hash = $2, fetched_at = now()',
)
const byAddress = statement('image-by-address', 'SELECT image_hash FROM image_addresses WHERE address = $1')
const byHash = statement('image-by-hash', 'SELECT type, bytes FROM images WHERE hash = $1')

/** Makes the service. Two hundred fetches an hour and caller. */
export const createImages = ({ database, queue, limit, log, now, fetch }: Needs): Images => {
  const byCaller = limit('image:fetch', { points: 200, durationSeconds: 3600 })
  const load = async (address: string) => {
    const [row] = await database.run<{ image_hash: Buffer }>(byAddress, [sha256(address)])
    return row && `/assets/images/${Buffer.from(row.image_hash).toString('hex')}`
  }
  const memo = createMemo({ ttlMilliseconds: 1000, now, load })
  const keep = async (address: string) => {
    const { type, bytes } = await fetchImage(fetch, address)
    const hash = sha256(bytes)
    await database.run(put, [hash, type, bytes])
    await database.run(point, [sha256(address), hash])
    memo.forget(address)
  }
  // What was found before is still shown where its server is away just now.
  const faultAt = async (address: string): Promise<string | undefined> => {
    try {
      await keep(address)
    } catch (error) {
      if (!(error instanceof ImageFault)) throw error
      return (await load(address)) === undefined ? error.message : undefined
    }
  }
  const find = async (address: string | undefined) => (address === undefined || isData(address) ? address : memo.get(address))

  return {
    keepAll: async (actor, branding = {}, path) => {
      const faults: FieldFault[] = []
      for (const field of imageFields) {
        const address = branding[field]
        if (address === undefined || isData(address)) continue
        await byCaller.consume(actor.id ?? actor.kind)
        const message = await faultAt(address)
        if (message !== undefined) faults.push({ path: `${path}.${field}`, message })
      }
      if (faults.length > 0) throw new Problem('validation_failed', { fields: faults })
    },
    ask: async (tx, address) => {
      if (typeof address === 'string' && URL.canParse(address)) await queue.add(tx, { kind: keepImage, payload: { address } })
    },
    find,
    own: async branding => {
      const found = await Promise.all(imageFields.map(async field => [field, await find(branding[field])] as const))
      return { ...branding, ...Object.fromEntries(found) }
    },
    get: async hash => {
      const [row] = await database.run<Image>(byHash, [Buffer.from(hash, 'hex')])
      return row && { type: row.type, bytes: Buffer.from(row.bytes) }
    },
    handler: jobHandler(keepImage, async ({ address }) => {
      const message = await faultAt(address)
      if (message !== undefined) log.info({ why: message }, 'the logo of a client is not to be had')
    }),
  }
}

const sha256 = (value: string | Buffer) => createHash('sha256').update(value).digest()

const isData = (address: string) => address.startsWith('data:')
