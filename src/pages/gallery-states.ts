/** The states in which the gallery shows each page. */

import type { Branding } from '../platform/branding.ts'
import { Problem } from '../platform/errors.ts'
import { ACCOUNT_STATES } from './account-states.ts'
import { factorStates } from './gallery-factors.ts'
import { proofStates } from './gallery-proof-states.ts'
import { csrf, home, longEmail as longUsername, type StatesOf, email as username } from './gallery-samples.ts'
import type { PageClient, PageLocals, PageName } from './page-locals.ts'
import type { CommonLocals } from './pages.ts'

type Forms = Exclude<PageName, 'gallery'>
type States = { readonly [View in Forms]: StatesOf<PageLocals[View]> }

const svg = (body: string) => `data:image/svg+xml;base64,${Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" ${body}</svg>`).toString('base64')}`
const tile = svg(
  'viewBox="0 0 44 44"><rect width="44" height="44" fill="#233a8e"/><path d="M12 31V13h13a7 7 0 0 1 0 14h-6" fill="none" stroke="#fff" stroke-width="4"/>',
)
const wordmark = (ink: string) =>
  svg(
    `viewBox="0 0 148 32"><circle cx="16" cy="16" r="12" fill="none" stroke="${ink}" stroke-width="6"/><text x="40" y="23" font-family="sans-serif" font-weight="700" font-size="21" fill="${ink}">Nordlicht</text>`,
  )

const client: PageClient = {
  name: 'Papertrail',
  logoUrl: tile,
  origin: 'app.papertrail.example',
  policyUrl: 'https://papertrail.example/privacy',
  termsUrl: 'https://papertrail.example/terms',
}
const longClient: PageClient = {
  ...client,
  logoUrl: undefined,
  name: 'The Extraordinarily Comprehensive Donaudampfschifffahrtsgesellschaftskapitän Resource Planner (Staging, Europe)',
  origin: 'a-very-long-host-name-that-goes-on-and-on.customers.eu-central-1.papertrail.example',
  verified: false,
}
const fault = (path: string, code: string) => new Problem('validation_failed', { fields: [{ path, code, message: code }] })
const form = { action: home, csrf }
const engineForm = { action: home, xsrf: csrf }
const connections = [
  { id: '1', name: 'Google', mark: 'google' },
  { id: '2', name: 'GitHub', mark: 'github', isLastUsed: true },
  { id: '3', name: 'Microsoft', mark: 'microsoft' },
  { id: '4', name: 'Nordlicht Energie', organization: 'Nordlicht Energie' },
]
const scopes = [{ name: 'openid' }, { name: 'profile' }, { name: 'email', detail: username }, { name: 'organizations' }]
const resources = [
  {
    name: 'Papertrail Library',
    scopes: [
      { name: 'documents:read', title: 'Read your documents' },
      { name: 'documents:write', title: 'Create and change documents', detail: 'Including those shared with you.' },
    ],
  },
]
const details = [
  {
    title: 'Pay an invoice',
    resource: 'Nordlicht Bank',
    fields: [
      { label: 'Amount', value: '123.50 EUR' },
      { label: 'To', value: 'Papertrail GmbH · DE02 1001 0010 9307 1186 03' },
      { label: 'For', value: 'Invoice 2026-1147' },
    ],
  },
]
const browser = 'Mozilla/5.0 (Linux; Android 14; BRAVIA VH2 Build/UTT2.240404.001) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36'

const passkey = { action: home, optionsUrl: '/dev/gallery/passkey' }
const identifier = { ...form, client, connections: [], signUpUrl: home, passkey, cancelAction: home }
const password = { ...form, client, username, changeUrl: home, forgotUrl: home, emailCodeAction: home, canRemember: true }
const consent = { ...form, client, switchAction: home, account: username, scopes, resources }
const organization = {
  ...form,
  client,
  switchAction: home,
  cancelAction: home,
  account: username,
  organizations: [
    { id: '1', name: 'Nordlicht Energie', slug: 'nordlicht' },
    { id: '2', name: 'Papertrail', slug: 'papertrail' },
  ],
}
const confirm = { ...engineForm, client, userCode: 'WDJB-MJHT', device: { ip: '203.0.113.24', userAgent: 'Papertrail for Android TV 4.2' } }

/** Every page in every state; the gallery adds brands and a right-to-left one to each. */
export const GALLERY_STATES: States = {
  identifier: {
    plain: identifier,
    again: { ...identifier, username, changeUrl: home },
    alone: { ...form, connections: [] },
    connections: { ...identifier, connections, connectionAction: home },
    upstream: {
      ...identifier,
      username,
      connections,
      connectionAction: home,
      passwordUrl: home,
      emailCodeAction: home,
      emailCodeCsrf: csrf,
      problem: new Problem('upstream_unlinked'),
    },
    error: { ...identifier, username, problem: new Problem('too_many_attempts', { retryAfterSeconds: 300 }) },
    'field-error': { ...identifier, username: 'ada', problem: fault('username', 'no_email') },
    long: { ...identifier, username: longUsername, client: longClient, connections: [{ id: 'sso', name: longClient.name }], connectionAction: home },
  },
  password: {
    plain: password,
    bare: { ...form, username, changeUrl: home },
    error: { ...password, remember: true, problem: new Problem('invalid_credentials') },
    'field-error': { ...password, problem: fault('password', 'required') },
    long: { ...password, username: longUsername, client: longClient, cancelAction: home },
  },
  ...factorStates({ form, client, longClient, account: username, longAccount: longUsername }),
  consent: {
    plain: consent,
    unverified: { ...consent, client: { ...client, logoUrl: undefined, verified: false }, resources: [], offline: true },
    document: { ...consent, client: { name: 'app.papertrail.example', claimedName: 'Papertrail', origin: '127.0.0.1:53682', verified: false } },
    details: { ...consent, resources: [], details },
    error: { ...consent, problem: new Problem('csrf_mismatch') },
    organization: { ...consent, organization: 'Nordlicht Energie' },
    agent: { ...consent, client: { name: 'Acme Helper', origin: '127.0.0.1:53682', agentOf: username, verified: false } },
    long: { ...consent, details: [...details, ...details], client: longClient, account: longUsername, organization: longClient.name, offline: true },
  },
  organization: {
    plain: organization,
    error: { ...organization, problem: new Problem('organization_gone') },
    search: { ...organization, search: { url: home, q: 'nord', previousUrl: home, nextUrl: home } },
    none: { ...organization, organizations: [], search: { url: home, q: 'süd' } },
    long: { ...organization, client: longClient, account: longUsername, organizations: [{ id: '1', name: longClient.name, slug: 'a'.repeat(63) }] },
  },
  'device-code': {
    plain: engineForm,
    error: { ...engineForm, userCode: 'WDJB-MJHT', problem: new Problem('busy') },
    'field-error': { ...engineForm, userCode: 'WDJB', problem: fault('user_code', 'unknown') },
  },
  'device-confirm': {
    plain: confirm,
    unverified: { ...confirm, client: { name: 'papertrail-cli', verified: false }, device: {} },
    error: { ...confirm, problem: new Problem('csrf_mismatch') },
    long: { ...confirm, client: longClient, device: { ip: '2001:0db8:85a3:0000:0000:8a2e:0370:7334', userAgent: browser } },
  },
  'device-done': { plain: { client }, alone: {}, long: { client: longClient } },
  logout: {
    plain: { ...engineForm, client },
    alone: engineForm,
    long: { ...engineForm, client: longClient },
    error: { ...engineForm, client, problem: new Problem('csrf_mismatch') },
  },
  'signed-out': {
    plain: { client, returnUrl: 'https://app.papertrail.example/' },
    alone: {},
    again: { returnUrl: home },
    long: { client: longClient, returnUrl: '/' },
  },
  error: {
    plain: { kind: 'invalid_request' },
    client: { kind: 'server_error', client, homeUrl: 'https://app.papertrail.example/' },
    detail: {
      kind: 'invalid_redirect_uri',
      detail: `invalid_redirect_uri: redirect_uri did not match any of the client’s registered redirect_uris\n${'    at frame\n'.repeat(24)}`,
      homeUrl: '/',
    },
    client_unknown: { kind: 'invalid_client' },
    denied: { kind: 'access_denied', client },
    unavailable: { kind: 'temporarily_unavailable' },
    'link-used': { kind: 'link_used' },
    problem: { kind: 'refused', problem: new Problem('wrong_host') },
  },
  'post-on': {
    plain: { connection: 'Nordlicht Energie', action: home, fields: [{ name: 'SAMLRequest', value: 'PHNhbWxw' }], isAutomatic: false },
    long: { connection: longClient.name, action: home, fields: [], isAutomatic: false },
  },
  expired: { plain: { startUrl: 'https://app.papertrail.example/' }, alone: {} },
  'not-found': { plain: { homeUrl: '/' }, alone: {} },
  ...ACCOUNT_STATES,
  ...proofStates({ client, longClient }),
}

const branding: Branding = {
  name: 'Authy2',
  supportUrl: 'mailto:help@authy2.example',
  termsUrl: 'https://authy2.example/terms',
  privacyUrl: 'https://authy2.example/privacy',
}
const tenant: Branding = { ...branding, name: 'Nordlicht Energie', logoUrl: wordmark('#16202c'), logoDarkUrl: wordmark('#f2f6fa') }

/** What the common locals are in the states that every page has. */
export const COMMON_STATES = {
  plain: { branding },
  branded: { branding: { ...tenant, primaryColor: '#ffe81a', backgroundColor: '#ff7a59', radius: '0px' } },
  'branded-dark': {
    branding: { ...tenant, logoUrl: undefined, primaryColor: '#0b0b3b', primaryTextColor: '#222266', backgroundColor: '#000033', radius: '24px' },
  },
  rtl: { branding, lang: 'ar' },
  german: { branding, lang: 'de' },
} as const satisfies Record<string, Partial<CommonLocals>>
