// Takes the choice of a language and goes back to the page it was made on.
import Router from '@koa/router'
import { z } from 'zod'
import { readForm } from '../platform/http/form.ts'
import { ownPath } from '../platform/http/own-path.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import type { Languages } from '../platform/languages.ts'
import type { PageLanguage } from './page-language.ts'

interface Needs {
  readonly languages: Languages
  readonly pageLanguage: PageLanguage
  readonly issuer: string
}

// Where whoever names no page of ours goes.
const safePage = '/account'

/** Makes the router. The form has no token: a language is nobody's secret, and it is taken from our own pages only. */
export const createLanguageRouter = ({ languages, pageLanguage, issuer }: Needs): Router => {
  const fields = z.strictObject({ language: z.enum(languages.tags), here: text(4000) })
  const router = new Router()
  router.post('/language', async ctx => {
    const { language: tag, here } = await readForm(ctx, { fields, issuer })
    const place = ownPath(here, issuer) ?? safePage
    pageLanguage.remember(ctx, { tag, path: new URL(place, issuer).pathname })
    seeOther(ctx, place)
  })
  // Where a form that is not taken leaves the browser.
  router.get('/language', ctx => seeOther(ctx, safePage))
  return router
}
