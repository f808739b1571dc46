// Which tables are treated otherwise than the rest, which is backed up and comes back as it was: and why.
import { historyName } from '../platform/data/tables.ts'

/** Tables that no backup holds: what is in them is good once and for minutes, and must not be good again after a restore. */
export const leftOut: Readonly<Record<string, string>> = {
  [historyName]: 'the migrations stand in the header, and are applied anew',
  backchannel_requests: 'what a person was asked to approve has been answered or has expired',
  changed_targets: 'what caches were told of, by the numbers of transactions of another database',
  challenges: 'codes and links in mails, good once',
  oidc_polls: 'the pace of codes that are not there any more',
  passkey_challenges: 'good once and for minutes',
  rate_limits: 'counts of the moment',
  sign_in_tickets: 'good once and for minutes',
  upstream_requests: 'sign-ins elsewhere that were under way: an answer to one of them is good once',
}

/** Tables whose rows come back changed, as `ends.ts` says. */
export const ended: Readonly<Record<string, string>> = {
  authenticators: 'codes of authenticator apps up to the restore are no longer good',
  invitations: 'links that were open may have been used or taken back since',
  oidc_artifacts: 'codes and pushed requests go, sessions, grants and tokens too unless they are kept; replay ids and revoked grants stay',
  sessions: 'ended unless they are kept',
  users: 'no sign-in from before the restore becomes a session any more, unless sessions are kept',
}

/** Tables that look as if they held what is good once or for a time, or hold what may have been taken back since, and come back as they were all the same. */
export const kept: Readonly<Record<string, string>> = {
  accepted_assertions: 'they keep SAML assertions from being accepted again',
  api_keys: 'credentials of machines, as passwords are of people',
  authentication_methods: 'passwords: one that was changed since is as before, as is told',
  client_secrets: 'credentials of machines, as passwords are of people',
  connections: 'secrets that other providers gave us: they know which are good',
  idempotency_keys: 'a request that was repeated is still answered, not done again; those under way at the backup are forgotten',
  jobs: 'what waits is done at least once: a mail may be sent twice, a notice is not lost',
  lasting_keys: 'subjects and the audit log go on by them; nothing else can take their place',
  recovery_codes: "without them people who lost their second factor are shut out; each needs the person's password besides",
  signing_keys: 'what they signed is verified; the command names them, for those that were revoked since must be revoked again',
  webhook_deliveries: 'what waits is delivered at least once: a receiver knows an event by its id',
  webhooks: 'signing secrets that the receivers know; a lease that was held then has run out',
}
