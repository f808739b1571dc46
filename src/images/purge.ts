// Forgets the pictures that nobody shows: of previews that were never saved, and of what was changed or is gone.
import { imageFields } from '../platform/branding-settings.ts'
import { statement } from '../platform/data/database.ts'
import { createPurge, type Purge } from '../platform/data/purge.ts'

// Those of what was deleted too, while it can be restored: it is in its table so long.
const named = `SELECT sha256(convert_to(named.address, 'UTF8')) FROM (
    SELECT unnest(ARRAY[${imageFields.map(field => `branding->>'${field}'`).join(', ')}]) AS address FROM organizations
    UNION ALL
    SELECT unnest(ARRAY[metadata->>'logo_uri', ${imageFields.map(field => `branding->>'${field}'`).join(', ')}]) FROM clients
  ) named WHERE named.address NOT LIKE 'data:%'`

// Finding them reads all brandings: an address that is named is not looked at again for as long.
const purgeAddresses = statement(
  'image_addresses-purge',
  `WITH old AS (SELECT address FROM image_addresses WHERE fetched_at < now() - interval '30 days' LIMIT $1 FOR UPDATE SKIP LOCKED),
   kept AS (UPDATE image_addresses SET fetched_at = now() WHERE address IN (SELECT address FROM old WHERE address IN (${named})) RETURNING address)
   DELETE FROM image_addresses WHERE address IN (SELECT address FROM old EXCEPT SELECT address FROM kept) RETURNING 1`,
)

/** Addresses that no organization and no client names, a month after they were last fetched or seen to be named. */
export const purgeImageAddresses: Purge = async (database, limit) => (await database.run(purgeAddresses, [limit])).length

/** Pictures that no address leads to, but for those of the last day: an address may be about to. */
export const purgeImages = createPurge({
  table: 'images',
  key: 'hash',
  due: "created_at < now() - interval '1 day' AND NOT EXISTS (SELECT 1 FROM image_addresses a WHERE a.image_hash = images.hash)",
})
