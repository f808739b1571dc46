// The upstream providers that the environment can configure: their variables, and what is made of them.
import { z } from 'zod'
import type { ConfiguredProviders } from './connectors/settings-connections.ts'

type Environment = Readonly<Record<string, string | undefined>>

const optional = (schema: z.ZodString) => z.preprocess(value => (value === '' ? undefined : value), schema.optional())

// Each with what stands beside its pair.
const providers = { google: [], github: [], microsoft: ['tenant'] } as const

/** Their variables. */
export const providerSettings = {
  GOOGLE_CLIENT_ID: optional(z.string().max(255, 'must have at most 255 characters')),
  GOOGLE_CLIENT_SECRET: optional(z.string().max(1024, 'must have at most 1024 characters')),
  GITHUB_CLIENT_ID: optional(z.string().max(255, 'must have at most 255 characters')),
  GITHUB_CLIENT_SECRET: optional(z.string().max(1024, 'must have at most 1024 characters')),
  MICROSOFT_CLIENT_ID: optional(z.string().max(255, 'must have at most 255 characters')),
  MICROSOFT_CLIENT_SECRET: optional(z.string().max(1024, 'must have at most 1024 characters')),
  MICROSOFT_TENANT: optional(z.string().regex(/^[a-z0-9][a-z0-9.-]{0,252}$/i, 'must be a tenant id, one of its domains, common, organizations or consumers')),
}

/** The faults of them, a sentence each: a pair is whole or not there, and what goes with it alone is a mistake. */
export const providerFaults = (environment: Environment): string[] =>
  Object.entries(providers).flatMap(([connector, more]) => {
    const prefix = connector.toUpperCase()
    const pair = [`${prefix}_CLIENT_ID`, `${prefix}_CLIENT_SECRET`]
    const missing = pair.filter(name => !environment[name])
    if (missing.length === 0) return []
    const given = [...pair, ...more.map(name => `${prefix}_${name.toUpperCase()}`)].filter(name => environment[name])
    return given.length === 0 ? [] : missing.map(name => `${name} is missing: ${given.join(' and ')} alone configures nothing`)
  })

/** Those that are configured, by the id of their connector. */
export const providersOf = (environment: Environment): ConfiguredProviders =>
  Object.fromEntries(
    Object.entries(providers).flatMap(([connector, more]) => {
      const prefix = connector.toUpperCase()
      const { [`${prefix}_CLIENT_ID`]: id, [`${prefix}_CLIENT_SECRET`]: secret } = environment
      if (!id || !secret) return []
      const beside = more.map(name => [name, environment[`${prefix}_${name.toUpperCase()}`]?.toLowerCase()] as const).filter(([, value]) => value)
      return [[connector, { settings: { client_id: id, ...Object.fromEntries(beside) }, secrets: { client_secret: secret } }]]
    }),
  )
