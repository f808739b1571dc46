/** The states in which the gallery shows each page of the account centre. */
import { qrCodeOf } from '../platform/qr.ts'
import { accountLinkStates } from './account-link-states.ts'
import type { AccountLocals } from './account-locals.ts'
import { csrf, email, longEmail, type StatesOf } from './gallery-samples.ts'

type States = { readonly [View in keyof AccountLocals]: StatesOf<AccountLocals[View]> }

const at = Date.UTC(2026, 2, 14, 15, 9)
const tooMany = { code: 'too_many_attempts', message: '', retryAfterSeconds: 300 } as const
const locales = [
  { tag: 'en', name: 'English' },
  { tag: 'ar', name: 'العربية' },
]
const profile = { csrf, name: 'Ada Lovelace', email, isEmailVerified: true, locales }
const password = { csrf, username: email, hasPassword: true, minLength: 12 }
const security = { csrf, enrolledUrl: '/account/security' }
const here = { id: '1', device: 'Firefox on macOS', ip: '203.0.113.24', isApi: false, isCurrent: true, seenAt: at, startedAt: at }
const sessions = [
  here,
  { ...here, id: '2', device: 'Safari on iOS', ip: '2001:db8:85a3:0:0:8a2e:370:7334', isCurrent: false },
  { ...here, id: '3', device: 'Unknown device', isApi: true, isCurrent: false },
]
const app = {
  id: 'papertrail',
  client: { name: 'Papertrail', origin: 'app.papertrail.example' },
  scopes: [{ name: 'openid' }, { name: 'profile' }, { name: 'email' }],
  resources: [],
  offline: false,
  grantedAt: at,
}
const documents = {
  name: 'Documents (https://documents.papertrail.example/api)',
  scopes: [{ name: 'documents:read', title: 'Read your documents' }, { name: 'documents:purge' }],
}
const inOrganization = { ...app, organization: { id: '1', name: 'Nordlicht Energie' }, resources: [documents], offline: true }
const longApp = {
  ...inOrganization,
  client: { name: 'The Extraordinarily Comprehensive Donaudampfschifffahrtsgesellschaftskapitän Resource Planner', agentOf: longEmail, verified: false },
  organization: { id: '2', name: 'Donaudampfschifffahrtsgesellschaft mit sehr langem Namen' },
  resources: [
    documents,
    {
      name: `https://${'planner-'.repeat(6)}api.mathematics.example/v1`,
      scopes: [{ name: `planner:${'w'.repeat(60)}` }, { name: 'planner:read', title: 'اقرأ خططك (ولا تغيّر شيئًا).' }],
    },
  ],
}
const request = {
  id: '1',
  client: { name: 'Papertrail' },
  organization: 'Nordlicht Energie',
  message: 'TX 4711 · 120 €',
  scopes: [{ name: 'openid' }, { name: 'profile' }],
  resources: [],
  offline: false,
  ip: '203.0.113.24',
  askedAt: at,
  expiresAt: at + 300_000,
}
const longRequest = {
  ...request,
  id: '2',
  client: { name: 'The Extraordinarily Comprehensive Donaudampfschifffahrtsgesellschaftskapitän Resource Planner' },
  message: 'W'.repeat(100),
  resources: [documents],
  offline: true,
  ip: '2001:db8:85a3:0:0:8a2e:370:7334',
}
const organizations = [
  { id: '1', name: 'Nordlicht Energie', role: 'owner' },
  { id: '2', name: 'Donaudampfschifffahrtsgesellschaft mit sehr langem Namen', role: 'billing-manager' },
]

const seed = 'JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP'
const uri = `otpauth://totp/Authy2:ada?issuer=Authy2&secret=${seed.replaceAll(' ', '')}`
const factors = [
  { id: '1', name: 'iCloud Keychain', kind: 'passkey', createdAt: at },
  { id: '2', name: 'Authenticator app', kind: 'totp', createdAt: at },
]
const linked = [
  { id: '1', name: 'Google', mark: 'google', account: longEmail, usedAt: at },
  { id: '2', name: 'Nordlicht Energie', organization: 'Nordlicht Energie', usedAt: at },
]
const connections = [
  { id: '1', name: 'GitHub', mark: 'github' },
  { id: '2', name: 'Donaudampfschifffahrtsgesellschaft mit sehr langem Namen', organization: 'Nordlicht Energie' },
]
const codes = Array.from({ length: 10 }, (_none, index) => `7KQ${index}-M2XD-9RTB-HW4${index}`)
const authenticator = { csrf, enrolment: '1', account: email, secret: seed, uri, qr: qrCodeOf(uri) }

const agentId = '0192f0c1-7d4c-7c3e-9b1f-2a6d5e8f9a10'
const agents = [
  {
    id: '1',
    name: 'Acme Helper',
    clientId: agentId,
    hasSecret: true,
    returns: ['http://127.0.0.1:53682/'],
    isDisabled: false,
    madeAt: Date.UTC(2026, 10, 3),
    usedAt: Date.UTC(2026, 10, 20),
  },
  { id: '2', name: 'Inbox sorter', clientId: agentId.replace('10', '11'), hasSecret: false, returns: [], isDisabled: true, madeAt: Date.UTC(2026, 9, 21) },
]

/** Every page in every state. */
export const ACCOUNT_STATES: States = {
  'account-profile': {
    plain: profile,
    done: { ...profile, done: 'account.done.saved', isEmailVerified: false, waiting: 1 },
    waiting: { ...profile, waiting: 3 },
    long: { ...profile, email: longEmail, locale: 'ar' },
  },
  'account-password': {
    plain: password,
    none: { ...password, hasPassword: false },
    error: { ...password, problem: tooMany },
    'field-error': {
      ...password,
      problem: { code: 'validation_failed', message: '', fields: [{ path: 'current_password', code: 'wrong_password', message: '' }] },
    },
  },
  'account-email': {
    plain: { csrf, email, isEmailVerified: true },
    unverified: { csrf, email, isEmailVerified: false, done: 'account.done.email_sent' },
    done: { csrf, email: longEmail, isEmailVerified: true, done: 'account.done.email_sent_both' },
  },
  'account-security': {
    plain: { ...security, factors, hasCodes: true, codesLeft: 7 },
    none: { ...security, factors: [], hasCodes: false, codesLeft: 0, done: 'account.done.factor_removed' },
    'field-error': {
      ...security,
      factors,
      hasCodes: true,
      codesLeft: 0,
      renaming: '1',
      problem: { code: 'validation_failed', message: '', fields: [{ path: 'label', code: 'required', message: '' }] },
    },
  },
  'account-identities': {
    plain: { csrf, identities: linked, connections },
    none: { csrf, identities: [], connections, done: 'account.done.unlinked' },
    error: { csrf, identities: linked.slice(0, 1), connections: [], problem: { code: 'last_way_in', message: '' } },
    taken: { csrf, identities: [], connections, problem: { code: 'identity_taken', message: '' } },
    done: { csrf, identities: linked, connections: [], done: 'account.done.linked' },
  },
  'account-recovery-codes': {
    plain: { csrf, codes },
    done: { csrf, codes, done: 'account.done.factor_added' },
    'field-error': { csrf, codes, problem: { code: 'validation_failed', message: '', fields: [{ path: 'saved', code: 'required', message: '' }] } },
  },
  'account-authenticator': {
    plain: authenticator,
    'field-error': { ...authenticator, problem: { code: 'validation_failed', message: '', fields: [{ path: 'code', code: 'wrong_code', message: '' }] } },
  },
  'account-sessions': { plain: { csrf, sessions }, alone: { csrf, sessions: [here], done: 'account.done.signed_out' } },
  'account-apps': {
    plain: { csrf, apps: [inOrganization, app] },
    long: { csrf, apps: [longApp, app] },
    none: { csrf, apps: [], done: 'account.done.revoked' },
  },
  'account-agents': {
    plain: { csrf, agents },
    none: { csrf, agents: [], done: 'account.done.agent_removed' },
    done: { csrf, agents, made: { name: 'Acme Helper', clientId: agentId, secret: 'not-a-real-secret-only-for-show' }, done: 'account.done.agent_made' },
    error: { csrf, agents, problem: { code: 'too_many_agents', message: '' } },
    'field-error': { csrf, agents, problem: { code: 'validation_failed', message: '', fields: [{ path: 'agent_name', code: 'required', message: '' }] } },
  },
  'account-requests': {
    plain: { csrf, requests: [request] },
    none: { csrf, requests: [], done: 'account.done.approved' },
    error: { csrf, requests: [request], problem: { code: 'request_gone', message: '' } },
    factor: { csrf, requests: [request], problem: { code: 'factor_required', message: '' } },
    long: { csrf, requests: [longRequest, request], done: 'account.done.denied' },
  },
  'account-organizations': {
    plain: { csrf, organizations },
    none: { csrf, organizations: [] },
    error: { csrf, organizations, problem: { code: 'last_owner', message: '' } },
  },
  'account-data': {
    plain: { csrf, email },
    'field-error': {
      csrf,
      email: longEmail,
      problem: { code: 'validation_failed', message: '', fields: [{ path: 'confirm', code: 'not_your_address', message: '' }] },
    },
  },
  'account-invitation': {
    plain: { csrf, invitation: 'shown', organization: 'Nordlicht Energie', role: 'admin', invited: email, email, isYours: true },
    wrong: { csrf, invitation: 'shown', organization: 'Nordlicht Energie', role: 'billing-manager', invited: longEmail, email, isYours: false },
  },
  ...accountLinkStates,
}
