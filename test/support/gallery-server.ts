/** Serves the gallery of hosted pages under the policy of production. */
import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { createGallery } from '../../src/pages/gallery.ts'
import { createPageLanguage } from '../../src/pages/page-language.ts'
import { createPages } from '../../src/pages/pages.ts'
import { createAssets } from '../../src/platform/http/assets.ts'
import { createLanguages } from '../../src/platform/languages.ts'

const VIEWS = `${import.meta.dirname}/../../views`

/** Starts on a free port of the loopback; the caller closes it. */
export async function startGallery(): Promise<{ url: string; close(): Promise<void> }> {
  const assets = createAssets(`${VIEWS}/assets`)
  const languages = createLanguages({ directory: `${VIEWS}/languages` })
  const pages = createPages({ directory: VIEWS, isCached: true, assets, languages })
  const app = new Koa()
  app.use(assets.middleware)
  app.use(createGallery({ pages, pageLanguage: createPageLanguage({ languages, isSecure: false }), randomBytes }).routes())

  const server = app.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const close = () => new Promise<void>(resolve => server.close(() => resolve()))
  return { url: `http://127.0.0.1:${port}`, close }
}
