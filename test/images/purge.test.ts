// Pictures that nobody shows any more are forgotten, addresses first.
import test from 'ava'
import { purgeImageAddresses, purgeImages } from '../../src/images/purge.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { startApi, type TestApi } from '../support/api.ts'
import { makeClient } from '../support/clients.ts'
import { makeOrganization } from '../support/organization.ts'
import { pictureAt, pngOf, startPictures } from '../support/pictures.ts'
import { until } from '../support/until.ts'

let api: TestApi
let pictures: Awaited<ReturnType<typeof startPictures>>
test.before(async () => {
  pictures = await startPictures()
  api = await startApi()
})
test.after.always(async () => {
  pictures?.close()
  await api?.close()
})

const query = (sql: string) => api.server.resources.database.pool.query(sql)
const age = () =>
  query("WITH images AS (UPDATE images SET created_at = now() - interval '31 days') UPDATE image_addresses SET fetched_at = now() - interval '31 days'")
const purge = async () => {
  const { database } = api.server.resources
  return { addresses: await purgeImageAddresses(database, 100), images: await purgeImages(database, 100) }
}
const isShown = async (path: string) => (await fetch(`${api.server.issuer}${pictureAt(pngOf(path))}`)).status === 200

test.serial('a month after it was fetched a picture is forgotten that no organization and no client names, and no other is', async t => {
  const organization = await makeOrganization(api)
  const of = (name: string) => pictures.at(`/one-of/${name}`)
  const save = (branding: object) => organization.asOwner('PATCH /settings', { branding })
  await organization.asOwner('POST /settings/preview', { branding: { logo_url: of('preview') } })
  await save({ logo_url: of('former') })
  await save({ logo_url: of('logo'), logo_dark_url: of('dark'), favicon_url: of('icon') })
  const { clientId } = await makeClient(api.server, { organizationId: organization.id, metadata: { logo_uri: of('registered') } })
  await organization.asOwner(`PATCH /clients/${clientId}`, { branding: { logo_url: of('client') } })
  await until(() => isShown('/one-of/registered'))
  t.deepEqual(await purge(), { addresses: 0, images: 0 })
  await age()
  t.deepEqual(await purge(), { addresses: 2, images: 2 })
  for (const name of ['preview', 'former']) t.false(await isShown(`/one-of/${name}`), name)
  const kept = ['logo', 'dark', 'icon', 'registered', 'client']
  for (const name of kept) t.true(await isShown(`/one-of/${name}`), name)

  // What was deleted can be restored, with its pictures.
  await api.server.services.organizations.remove(systemActor, organization.id)
  await age()
  t.deepEqual(await purge(), { addresses: 0, images: 0 })
  await query("UPDATE organizations SET deleted_at = now() - interval '31 days' WHERE deleted_at IS NOT NULL")
  await api.server.services.organizations.purge(systemActor, 100)
  await age()
  t.deepEqual(await purge(), { addresses: kept.length, images: kept.length })
})

test.serial('an address that is named is looked at once a month, and a picture of several addresses stays with the last', async t => {
  const organization = await makeOrganization(api)
  const [one, other] = [pictures.at('/one-of/both?1'), pictures.at('/one-of/both?2')]
  await organization.asOwner('PATCH /settings', { branding: { logo_url: one } })
  await organization.asOwner('POST /settings/preview', { branding: { logo_url: other } })
  await age()
  t.deepEqual(await purge(), { addresses: 1, images: 0 })
  t.true(await isShown('/one-of/both'))
  const { rows } = await query("SELECT count(*)::int AS old FROM image_addresses WHERE fetched_at < now() - interval '1 day'")
  t.is(rows[0].old, 0)
})

test.serial('a picture that is fetched again is new, however long it was there', async t => {
  const organization = await makeOrganization(api)
  const branding = { logo_url: pictures.at('/one-of/again') }
  await organization.asOwner('POST /settings/preview', { branding })
  await age()
  await query('DELETE FROM image_addresses')
  await organization.asOwner('PATCH /settings', { branding })
  await query('DELETE FROM image_addresses')
  await purge()
  t.true(await isShown('/one-of/again'))
})
