// What we borrow of the engine's own helpers (oidc-provider 9.13.3, lib/helpers, lib/actions, lib/shared), which have no types.
declare module 'oidc-provider/lib/helpers/grants.js' {
  type Context = import('oidc-provider').KoaContextWithOIDC
  type Provider = import('oidc-provider').default
  interface Proof {
    readonly thumbprint: string
    readonly jti: string
    readonly iat: number
  }
  /** Verifies the request's DPoP proof, if it has one (RFC 9449 §4.3). */
  export function validateDpop(provider: Provider, ctx: Context): Promise<Proof | undefined>
  /** Throws `invalid_grant` for a proof that was taken before. */
  export function checkDpopReplay(provider: Provider, ctx: Context, proof: Proof | undefined, clientId: string): Promise<void>
  /** Throws `invalid_grant` where the client must bind its tokens and gave no proof. */
  export function checkDpopRequired(provider: Provider, ctx: Context, proof: Proof | undefined): void
  /** The client's certificate, where its tokens are bound to it (RFC 8705 §3); throws `invalid_grant` where it gave none. */
  export function checkMtlsCert(provider: Provider, ctx: Context): string | undefined
}

declare module 'oidc-provider/lib/helpers/jwt.js' {
  /** A client's keys. */
  export type Keys = object & { readonly keys?: never }
  /** Verifies the signature by one of the keys, which are asked for again where none verifies it, and `exp` and `nbf`. Throws whatever is wrong. */
  export function verify(jwt: string, keys: Keys, options: { readonly clockTolerance: number }): Promise<unknown>
}

declare module 'oidc-provider/lib/helpers/weak_cache.js' {
  /** What the engine keeps beside itself. */
  export default function instance(provider: import('oidc-provider').default): {
    readonly grantTypeHandlers: ReadonlyMap<string, (ctx: import('oidc-provider').KoaContextWithOIDC) => Promise<void>>
    readonly configuration: { readonly findAccount: import('oidc-provider').FindAccount }
  }
}

declare module 'oidc-provider/lib/helpers/re_render_errors.js' {
  /** Has the page where a device's code is typed shown again, and says that this one was used. */
  export class AlreadyUsedError extends Error {
    constructor(userCode?: string)
  }
}

declare module 'oidc-provider/lib/actions/authorization/scopes.js' {
  type Context = import('oidc-provider').KoaContextWithOIDC['oidc']
  /** Of the request's context what the check looks at. */
  interface Asked {
    readonly oidc: Pick<Context, 'provider' | 'route' | 'params'> & { readonly client?: object | undefined }
  }
  /** Throws `invalid_request` for what needs the scope `openid`, where it is not asked for. */
  export function checkOpenidScope(ctx: Asked, next: () => Promise<unknown>): Promise<unknown>
}

declare module 'oidc-provider/lib/actions/authorization/index.js' {
  type Step = (ctx: import('oidc-provider').KoaContextWithOIDC, next: () => Promise<unknown>) => unknown
  /** The steps in which requests are answered there, one list for each. */
  export default function stepsOf(route: 'authorization' | 'pushed_authorization_request' | 'device_authorization'): Step[]
}

declare module 'oidc-provider/lib/actions/userinfo.js' {
  /** The steps in which it is answered. */
  const steps: ((ctx: import('oidc-provider').KoaContextWithOIDC, next: () => Promise<unknown>) => unknown)[]
  export default steps
}

declare module 'oidc-provider/lib/actions/introspection.js' {
  /** The steps in which it is answered. */
  const steps: ((ctx: import('oidc-provider').KoaContextWithOIDC, next: () => Promise<unknown>) => unknown)[]
  export default steps
}

declare module 'oidc-provider/lib/actions/revocation.js' {
  /** The steps in which it is answered. */
  const steps: ((ctx: import('oidc-provider').KoaContextWithOIDC, next: () => Promise<unknown>) => unknown)[]
  export default steps
}

declare module 'oidc-provider/lib/shared/reject_structured_tokens.js' {
  /** The step that refuses what has the form of a JWT (`unsupported_token_type`). */
  export default function rejectStructuredTokens(): Promise<unknown>
}
