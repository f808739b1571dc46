// How clients come to be known that no administrator made, and what clients may be registered for: the settings, and what is made of them.
import { z } from 'zod'
import { type ResponseType, responseTypes } from './clients/response-types.ts'
import { oneOf } from './setting-schemas.ts'

const emptyIs = (value: string) => (given: unknown) => (given === '' || given === undefined ? value : given)
const hostName = /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/

const hosts = z.preprocess(
  emptyIs(''),
  z
    .string()
    .transform(list => list.split(',').flatMap(one => one.trim().toLowerCase() || []))
    .pipe(z.array(z.string().regex(hostName, 'must be names of hosts such as app.example.com or *.example.com, separated by commas'))),
)

const listedTypes = z.preprocess(
  emptyIs('code'),
  z
    .string()
    .transform(list => [...new Set(['code', ...list.split(',').map(type => type.trim().split(/\s+/).sort().join(' '))])].filter(Boolean))
    .pipe(z.array(z.enum(responseTypes, 'must be code, id_token and code id_token or some of them, separated by commas'))),
)

/** Their variables. */
export const registrationSettings = {
  CLIENT_REGISTRATION: z.preprocess(emptyIs('open'), oneOf('open', 'token', 'off')),
  CLIENT_ID_METADATA_DOCUMENTS: z.preprocess(
    emptyIs('true'),
    oneOf('true', 'false', '1', '0').transform(value => value === 'true' || value === '1'),
  ),
  CLIENT_ID_METADATA_ALLOWED_HOSTS: hosts,
  CLIENT_ID_METADATA_DENIED_HOSTS: hosts,
  RESPONSE_TYPES: listedTypes,
  AGENTS: z.preprocess(emptyIs('on'), oneOf('on', 'off')),
}

interface Given {
  readonly CLIENT_REGISTRATION: 'open' | 'token' | 'off'
  readonly CLIENT_ID_METADATA_DOCUMENTS: boolean
  readonly CLIENT_ID_METADATA_ALLOWED_HOSTS: readonly string[]
  readonly CLIENT_ID_METADATA_DENIED_HOSTS: readonly string[]
  readonly RESPONSE_TYPES: readonly ResponseType[]
  readonly AGENTS: 'on' | 'off'
}

/** The settings, parsed. */
export interface RegistrationConfig {
  /** Who may register clients: anybody within bounds, whoever has an initial access token, or nobody. */
  readonly clientRegistration: 'open' | 'token' | 'off'
  /** Which hosts may be clients by a metadata document. */
  readonly documentRule: { readonly isOn: boolean; readonly allowedHosts: readonly string[]; readonly deniedHosts: readonly string[] }
  /** What clients that are registered for it may ask the authorization endpoint for; `code` is among them. */
  readonly responseTypes: readonly ResponseType[]
  /** Whether people may have agents of their own. */
  readonly areAgentsOn: boolean
}

/** What is made of them. */
export const registrationConfigOf = (given: Given): RegistrationConfig => ({
  clientRegistration: given.CLIENT_REGISTRATION,
  documentRule: {
    isOn: given.CLIENT_ID_METADATA_DOCUMENTS,
    allowedHosts: given.CLIENT_ID_METADATA_ALLOWED_HOSTS,
    deniedHosts: given.CLIENT_ID_METADATA_DENIED_HOSTS,
  },
  responseTypes: given.RESPONSE_TYPES,
  areAgentsOn: given.AGENTS === 'on',
})
