// An opaque token says by its first letters what it is, as API keys do: scanners of leaked secrets know one when they see it, and nobody looks for it among
// the tokens of another kind. Introspection and revocation ask for each kind of token together, unless they are told the right one (RFC 7662 §2.1).
import type Provider from 'oidc-provider'

/** What a token of each kind begins with; those issued before had no prefix, and are found as ever. */
export const tokenPrefixes = { AccessToken: 'authy2at_', ClientCredentials: 'authy2cc_', RefreshToken: 'authy2rt_' } as const

interface Token {
  /** As the engine notes it when it makes the id; refresh tokens have none, and are opaque. */
  readonly format?: 'opaque' | 'jwt'
}

interface Model {
  prototype: { generateTokenId(this: Token): string }
  find(value: unknown, options?: object): Promise<unknown>
}

/** Gives the engine's tokens their prefixes, and has it look for a token among those of its kind alone. Call once for each engine. */
export const prefixTokens = (provider: Provider): void => {
  for (const [kind, prefix] of Object.entries(tokenPrefixes)) {
    const model = provider[kind as keyof typeof tokenPrefixes] as unknown as Model
    const others = Object.values(tokenPrefixes).filter(other => other !== prefix)
    const { generateTokenId } = model.prototype
    model.prototype.generateTokenId = function () {
      const id = generateTokenId.call(this)
      return this.format === 'jwt' ? id : prefix + id
    }
    const find = model.find.bind(model)
    model.find = (value, options) => (typeof value === 'string' && others.some(other => value.startsWith(other)) ? nothing : find(value, options))
  }
}

const nothing = Promise.resolve(undefined)
