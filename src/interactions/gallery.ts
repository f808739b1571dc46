/** Shows every hosted page in every state under /dev/gallery; for development only. */
import { Router } from '@koa/router'
import { COMMON_STATES, GALLERY_STATES } from './gallery-states.ts'
import type { PageName } from './page-locals.ts'
import type { CommonLocals, Pages } from './pages.ts'
import { pagePolicy } from './present.ts'

export interface GalleryNeeds {
  readonly pages: Pages
  readonly randomBytes: (size: number) => Buffer
}

/** The addresses of every page in every state, for tests and screenshots. */
export const GALLERY_URLS: readonly string[] = galleryIndex().flatMap(view => view.states.map(state => state.url))

/** Makes the router. Its pages live under the policy of the real ones. */
export function createGallery({ pages, randomBytes }: GalleryNeeds): Router {
  const router = new Router({ prefix: '/dev/gallery' })

  router.use((ctx, next) => {
    ctx.state.nonce = randomBytes(16).toString('base64')
    ctx.set('Content-Security-Policy', pagePolicy(ctx.state.nonce))
    return next()
  })

  router.get('/', ctx => {
    const common = commonLocals('plain', ctx.state.nonce)
    ctx.type = 'html'
    ctx.body = pages.render('gallery', { ...common, gallery: galleryIndex() })
  })

  // The script of the page asks for what a passkey needs; here it gets nothing.
  router.post('/passkey', ctx => {
    ctx.status = 204
  })

  router.get('/:view/:state', ctx => {
    const { view = '', state = '' } = ctx.params
    const html = isView(view) ? renderState(pages, view, state, ctx.state.nonce) : undefined
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

function renderState<V extends View>(pages: Pages, view: V, state: string, nonce: string): string | undefined {
  const states = GALLERY_STATES[view]
  const locals = Object.hasOwn(states, state) ? states[state] : undefined
  if (!locals && !isCommonState(state)) return undefined
  const common = commonLocals(isCommonState(state) ? state : 'plain', nonce)
  return pages.render<V>(view, { ...common, ...(locals ?? states.plain) })
}

const isCommonState = (name: string): name is keyof typeof COMMON_STATES => Object.hasOwn(COMMON_STATES, name)

function commonLocals(state: keyof typeof COMMON_STATES, nonce: string): CommonLocals {
  return { lang: 'en', dir: 'ltr', nonce, requestId: '01JD9X4M7Q2V8K3T6B5N', ...COMMON_STATES[state] }
}
