// A picture of a hosted page in a branding that nobody saved: it holds no secret, and nothing in it can be used.
import type { Branding } from '../platform/branding.ts'
import type { PageClient, PageLocals } from './page-locals.ts'
import type { CommonLocals, Pages } from './pages.ts'
import { brandingOver } from './present.ts'

/** The pages of which there are previews, in the API's words. */
export const previewedPages = ['identifier', 'password', 'sign_up', 'consent'] as const

/** What is to be seen. */
export interface PreviewedPage {
  readonly page: (typeof previewedPages)[number]
  readonly branding: Partial<Branding>
  /** The name of the client that the page is for. */
  readonly client: string
  /** A language tag; one that is not ours is the default. */
  readonly language: string
}

/** Gives the HTML, a whole document. */
export type RenderPreview = (wanted: PreviewedPage) => string

interface Needs {
  readonly pages: Pages
  readonly issuer: string
  readonly passwordMinLength: number
  readonly randomBytes: (size: number) => Buffer
}

/** Makes the renderer. */
export const createRenderPreview =
  ({ pages, issuer, passwordMinLength, randomBytes }: Needs): RenderPreview =>
  ({ page, branding, client, language }) => {
    const nonce = randomBytes(16).toString('base64')
    const common: CommonLocals = {
      lang: language,
      nonce,
      branding: brandingOver(branding),
      requestId: '',
      picture: { base: `${issuer}/`, policy: picturePolicy({ issuer, nonce }) },
    }
    const samples = samplesFor({ name: client }, passwordMinLength)
    if (page === 'password') return pages.render('password', { ...samples.password, ...common })
    if (page === 'sign_up') return pages.render('sign-up', { ...samples['sign-up'], ...common })
    if (page === 'consent') return pages.render('consent', { ...samples.consent, ...common })
    return pages.render('identifier', { ...samples.identifier, ...common })
  }

/** As the pages' own, but without scripts and without forms: whoever shows the picture need not trust what a tenant wrote. */
const picturePolicy = ({ issuer, nonce }: { issuer: string; nonce: string }): string =>
  ["default-src 'none'", `style-src ${issuer} 'nonce-${nonce}'`, `img-src ${issuer} data:`, "form-action 'none'", `base-uri ${issuer}`].join('; ')

type Samples = Pick<PageLocals, 'identifier' | 'password' | 'sign-up' | 'consent'>

const username = 'ada@example.com'
// An address must lead somewhere for a view to show what has it.
const nowhere = '/'

const samplesFor = (client: PageClient, minLength: number): Samples => {
  const form = { action: nowhere, csrf: '' }
  return {
    identifier: { ...form, client, connections: [], signUpUrl: nowhere, cancelAction: nowhere },
    password: { ...form, client, username, changeUrl: nowhere, forgotUrl: nowhere, emailCodeAction: nowhere, canRemember: true, cancelAction: nowhere },
    'sign-up': { ...form, client, email: username, name: 'Ada Lovelace', minLength, signInUrl: nowhere, cancelAction: nowhere },
    consent: {
      ...form,
      client,
      switchAction: nowhere,
      account: username,
      scopes: [{ name: 'openid' }, { name: 'profile' }, { name: 'email', detail: username }],
      resources: [],
    },
  }
}
