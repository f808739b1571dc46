/** Shows every hosted page in every state under /dev/gallery; for development only. */
import { Router } from '@koa/router'
import type { Context } from 'koa'
import { COMMON_STATES, GALLERY_STATES } from './gallery-states.ts'
import type { PageLanguage } from './page-language.ts'
import type { PageName } from './page-locals.ts'
import type { CommonLocals, Pages } from './pages.ts'
import { pagePolicy } from './present.ts'

export interface GalleryNeeds {
  readonly pages: Pages
  readonly pageLanguage: Pick<PageLanguage, 'of'>
  readonly randomBytes: (size: number) => Buffer
}

/** The addresses of every page in every state, for tests and screenshots. */
export const GALLERY_URLS: readonly string[] = galleryIndex().flatMap(view => view.states.map(state => state.url))

/** Makes the router. `?language=de` shows a page in that language. Its pages live under the policy of the real ones. */
export function createGallery({ pages, pageLanguage, randomBytes }: GalleryNeeds): Router {
  const router = new Router({ prefix: '/dev/gallery' })
  const contextOf = (ctx: Context): GalleryContext => ({
    lang: typeof ctx.query.language === 'string' ? ctx.query.language : pageLanguage.of(ctx).tag,
    here: ctx.path,
    nonce: ctx.state.nonce,
    requestId: '01JD9X4M7Q2V8K3T6B5N',
  })

  router.use((ctx, next) => {
    ctx.state.nonce = randomBytes(16).toString('base64')
    ctx.set('Content-Security-Policy', pagePolicy(ctx.state.nonce))
    return next()
  })

  router.get('/', ctx => {
    const common = { ...contextOf(ctx), ...COMMON_STATES.plain }
    ctx.type = 'html'
    ctx.body = pages.render('gallery', { ...common, gallery: galleryIndex() })
  })

  // The script of the page asks for what a passkey needs; here it gets nothing.
  router.post('/passkey', ctx => {
    ctx.status = 204
  })

  router.get('/:view/:state', ctx => {
    const { view = '', state = '' } = ctx.params
    const html = isView(view) ? renderState(pages, { view, state, context: contextOf(ctx) }) : undefined
    if (html === undefined) return
    ctx.type = 'html'
    ctx.body = html
  })

  return router
}

type View = Exclude<PageName, 'gallery'>

function galleryIndex() {
  return Object.entries(GALLERY_STATES).map(([view, states]) => {
    const names = new Set([...Object.keys(states), ...Object.keys(COMMON_STATES)])
    return { name: view, states: [...names].map(name => ({ name, url: `/dev/gallery/${view}/${name}` })) }
  })
}

const isView = (name: string): name is View => Object.hasOwn(GALLERY_STATES, name)

type GalleryContext = Pick<CommonLocals, 'lang' | 'here' | 'nonce' | 'requestId'>

function renderState<V extends View>(pages: Pages, { view, state, context }: { view: V; state: string; context: GalleryContext }): string | undefined {
  const states = GALLERY_STATES[view]
  const locals = Object.hasOwn(states, state) ? states[state] : undefined
  if (!locals && !isCommonState(state)) return undefined
  const common = COMMON_STATES[isCommonState(state) ? state : 'plain']
  return pages.render<V>(view, { ...context, ...common, ...(locals ?? states.plain) })
}

const isCommonState = (name: string): name is keyof typeof COMMON_STATES => Object.hasOwn(COMMON_STATES, name)
