// The secrets by which a client may have signed: the engine knows one, and takes it for ever.
import type { Client } from 'oidc-provider'

/** The engine's store of what is made of a client's secret, as far as it is changed here. */
interface KeyStore {
  selectForVerify(options: { readonly alg: string }): readonly object[]
}

/** Has the engine try each of a client's living secrets, as `find` tells them, for what it verifies by one (RFC 7523 §2.2, OpenID Connect Core §9). */
export const trySecrets = (client: Client, find: () => readonly string[]): void => {
  const keys = Reflect.get(client, 'symmetricKeyStore') as KeyStore & object
  const { selectForVerify } = keys
  const select: KeyStore['selectForVerify'] = options => {
    const [known] = selectForVerify.call(keys, options)
    return known === undefined ? [] : find().map(secret => ({ ...known, k: Buffer.from(secret).toString('base64url') }))
  }
  Object.assign(keys, { selectForVerify: select })
}
