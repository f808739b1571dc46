// What keys are derived for, and what becomes of each when SECRET_KEY is rotated.
//
// `lasting`: its key is made once, of the first SECRET_KEY, and kept sealed in the database (data/lasting-keys.ts). What it makes is told to
//   others or chained to what came before (subjects, the audit log), or is a digest of what only its holder could give us again (client
//   secrets and recovery codes, both random, and requests that may be sent again): a new key would lose it. Nonces of DPoP tell freshness alone, so they need no new key, and
//   with this one no client is refused by the second process while they are restarted one after another.
// `resealed`: what is kept sealed in columns. Opens under the previous keys too, until `npm run secrets:reseal` has sealed it anew.
// `passing`: what a browser or client holds, or is kept for hours. Made under the current key, good under the previous ones too.
// `momentary`: never compared with what an earlier moment made.

type Fate = 'lasting' | 'resealed' | 'passing' | 'momentary'

/** The purposes, each with its fate. */
export const purposes = {
  'client-secret': 'lasting',
  'client-secret-sealed': 'resealed',
  'client-stand-in': 'momentary',
  'signing-key': 'resealed',
  artifact: 'resealed',
  cookie: 'passing',
  csrf: 'passing',
  'dpop-nonce': 'lasting',
  pairwise: 'lasting',
  form: 'passing',
  cursor: 'passing',
  idempotency: 'resealed',
  'idempotency-request': 'lasting',
  job: 'resealed',
  challenge: 'passing',
  'audit-chain': 'lasting',
  'audit-anchor': 'lasting',
  'audit-checkpoint': 'lasting',
  'audit-checkpoint-mac': 'lasting',
  'audit-checkpoint-place': 'lasting',
  totp: 'resealed',
  'recovery-code': 'lasting',
  connection: 'resealed',
  'upstream-request': 'resealed',
  'stand-in': 'momentary',
  'token-reference': 'passing',
  'lasting-key': 'resealed',
  webhook: 'resealed',
  backup: 'passing',
  'backup-check': 'passing',
} as const satisfies Record<string, Fate>

/** What a derived key is for. A value sealed or digested for one purpose is nothing for another. */
export type Purpose = keyof typeof purposes

/** Whether the key of a purpose outlives SECRET_KEY. */
export const isLasting = (purpose: Purpose): boolean => purposes[purpose] === 'lasting'

/** Those whose keys outlive SECRET_KEY. */
export const lastingPurposes: readonly Purpose[] = (Object.keys(purposes) as Purpose[]).filter(isLasting)
