// What the pages need that ask what a client may do, and for which organization.
import type { PageDetail } from './page-detail.ts'
import type { FormProblem, PageClient, PageScope } from './page-locals.ts'

/** Posts `csrf`, `decision` (`allow` or `deny`) to `action`; `csrf` to `switchAction`. */
export interface ConsentPage extends FormProblem {
  readonly action: string
  readonly csrf: string
  readonly switchAction: string
  readonly client: PageClient
  /** How the account is told: its e-mail address or name. */
  readonly account: string
  /** The organization that it is for, where it is for one. */
  readonly organization?: string
  readonly scopes: readonly PageScope[]
  readonly resources: readonly { readonly name: string; readonly scopes: readonly PageScope[] }[]
  /** What is asked in particular, each to be read field by field. */
  readonly details?: readonly PageDetail[]
  /** Whether offline access is asked. */
  readonly offline?: boolean
}

/** Posts `csrf`, `organization` to `action`; `csrf` to `switchAction` and `cancelAction`; asks for `q` and `page` at `searchUrl`. */
export interface OrganizationPage extends FormProblem {
  readonly action: string
  readonly csrf: string
  readonly switchAction: string
  readonly client: PageClient
  readonly account: string
  readonly organizations: readonly { readonly id: string; readonly name: string; readonly slug: string }[]
  /** Needed where there are many: then they are searched, and shown page by page. */
  readonly search?: { readonly url: string; readonly q: string; readonly previousUrl?: string | undefined; readonly nextUrl?: string | undefined }
  readonly cancelAction?: string
}

/** View name to the type of its locals. */
export interface ConsentPageLocals {
  readonly consent: ConsentPage
  readonly organization: OrganizationPage
}

type Names = { readonly [View in keyof ConsentPageLocals]: Readonly<Record<keyof Required<ConsentPageLocals[View]>, true>> }

/** The names of each page's locals; the compiler holds them equal to the types. */
export const consentLocalNames: Names = {
  consent: {
    problem: true,
    action: true,
    csrf: true,
    switchAction: true,
    client: true,
    account: true,
    organization: true,
    scopes: true,
    resources: true,
    details: true,
    offline: true,
  },
  organization: {
    problem: true,
    action: true,
    csrf: true,
    switchAction: true,
    client: true,
    account: true,
    organizations: true,
    search: true,
    cancelAction: true,
  },
}
