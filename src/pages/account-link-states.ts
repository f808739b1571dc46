// The states in which the gallery shows the pages to which the links of mails about an account lead.
import type { AccountLinkLocals } from './account-link-locals.ts'
import { csrf, email, home, longEmail, type StatesOf } from './gallery-samples.ts'

type States = { readonly [View in keyof AccountLinkLocals]: StatesOf<AccountLinkLocals[View]> }

/** Every page in every state. */
export const accountLinkStates: States = {
  'account-link': {
    plain: { csrf, kind: 'change', email, action: home },
    approve: { csrf, kind: 'approve', email: longEmail, action: home },
    undo: { csrf, kind: 'undo', email: longEmail, action: home },
    restore: { csrf, kind: 'restore', email, action: home },
  },
  'account-outcome': {
    plain: { kind: 'email_changed', homeUrl: home },
    'waits-for-new': { kind: 'email_waits_for_new', homeUrl: home },
    'waits-for-old': { kind: 'email_waits_for_old', homeUrl: home },
    taken: { kind: 'email_taken', homeUrl: home },
    undone: { kind: 'email_undone', homeUrl: home },
    deleted: { kind: 'deleted' },
    restored: { kind: 'restored', homeUrl: home },
    expired: { kind: 'link_expired', homeUrl: home },
    refused: { kind: 'refused', homeUrl: home },
  },
}
