// The two libraries that speak for providers; their own types would bring those of a browser into every file.
import { createRequire } from 'node:module'

interface Signer {
  enableHMAC(): void
  addReference(reference: { readonly xpath: string; readonly digestAlgorithm: string; readonly transforms: readonly string[] }): void
  computeSignature(xml: string, options: object): void
  getSignedXml(): string
}

interface IdentityProvider {
  getMetadata(): string
  parseLoginRequest(
    sp: object,
    binding: string,
    sent: object,
  ): Promise<{ readonly samlContent: string; readonly extract: { readonly issuer: string; readonly request: Readonly<Record<string, string>> } }>
  createLoginResponse(sp: object, request: object, binding: string, user: object, options: object): Promise<{ readonly context: string }>
}

interface Samlify {
  setSchemaValidator(validator: { validate(xml: string): Promise<string> }): void
  IdentityProvider(settings: object): IdentityProvider
  ServiceProvider(settings: object): { readonly entityMeta: { getEntityID(): string; getAssertionConsumerService(binding: string): string } }
}

const require = createRequire(import.meta.url)

/** Signs XML. */
export const { SignedXml } = require('xml-crypto') as { readonly SignedXml: new (options: object) => Signer }

/** An identity provider; it checks our requests, and reads our metadata. */
export const samlify = require('samlify') as Samlify
