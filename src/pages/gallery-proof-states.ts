// The states in which the gallery shows the pages of signing up, of mailed proofs and of forgotten passwords.
import { type FieldFault, Problem } from '../platform/errors.ts'
import { csrf, email, home, longEmail, type StatesOf } from './gallery-samples.ts'
import type { PageClient } from './page-locals.ts'
import type { ProofPageLocals } from './proof-page-locals.ts'

type States = { readonly [View in keyof ProofPageLocals]: StatesOf<ProofPageLocals[View]> }

interface Given {
  readonly client: PageClient
  readonly longClient: PageClient
}

const form = { action: home, csrf }
const link = 'https://id.papertrail.example/recovery/GkYyE0RkUe0sTqP1vXv1mZ0y8Qb2wS3dF4gH5jK6lZ7'

const faults = (...fields: readonly Omit<FieldFault, 'message'>[]) =>
  new Problem('validation_failed', { fields: fields.map(field => ({ ...field, message: '' })) })

/** Makes them for these clients. */
export const proofStates = ({ client, longClient }: Given): States => {
  const signUp = { ...form, minLength: 12, signInUrl: home, client, cancelAction: home }
  const code = { ...form, email, reason: 'sign_in' as const, resendAction: home, changeUrl: home, client, cancelAction: home }
  const codeLink = { ...form, email, reason: 'sign_in' as const, codeUrl: home, client }
  const newPassword = { ...form, username: email, minLength: 12 }
  const verify = { ...form, username: email, hasPassword: true, recoveryUrl: home }
  const kept = { to: email, subject: 'Choose a new password', at: '2026-11-22 09:30 UTC' }
  return {
    'sign-up': {
      plain: signUp,
      alone: { ...form, minLength: 12, signInUrl: home },
      error: { ...signUp, email, name: 'Ada', problem: new Problem('too_many_attempts', { retryAfterSeconds: 300 }) },
      'field-error': {
        ...signUp,
        email: 'ada',
        problem: faults(
          { path: 'email', code: 'no_email' },
          { path: 'name', code: 'required' },
          { path: 'password', code: 'password_short', values: { min: 12 } },
        ),
      },
      long: { ...signUp, email: longEmail, client: longClient },
    },
    code: {
      plain: code,
      'sign-up': { ...code, reason: 'sign_up' },
      resent: { ...code, isResent: true },
      error: { ...code, problem: new Problem('code_wrong') },
      'many-mails': { ...code, problem: new Problem('too_many_mails', { retryAfterSeconds: 3000 }) },
      'field-error': { ...code, problem: faults({ path: 'code', code: 'required' }) },
      long: { ...code, email: longEmail, client: longClient },
    },
    'code-link': {
      plain: codeLink,
      'sign-up': { ...codeLink, reason: 'sign_up' },
      error: { ...codeLink, problem: new Problem('proof_expired') },
      long: { ...codeLink, email: longEmail, client: longClient },
    },
    recovery: {
      plain: { ...form, username: email, backUrl: home },
      alone: form,
      error: { ...form, problem: new Problem('proof_expired') },
      'field-error': { ...form, username: 'ada', problem: faults({ path: 'username', code: 'required' }) },
    },
    'recovery-sent': { plain: { againUrl: home, backUrl: home }, alone: { againUrl: home } },
    'new-password': {
      plain: newPassword,
      'field-error': { ...newPassword, problem: faults({ path: 'password', code: 'password_common' }) },
      long: { ...newPassword, username: longEmail },
    },
    'recovery-done': { plain: { backUrl: home }, alone: {} },
    'verify-email': {
      plain: verify,
      'without-password': { ...verify, hasPassword: false },
      error: { ...verify, problem: new Problem('invalid_credentials') },
      long: { ...verify, username: longEmail },
    },
    'email-verified': { plain: {} },
    mailbox: {
      plain: {
        mails: [
          { ...kept, url: home },
          { ...kept, to: longEmail, url: home },
        ],
      },
      empty: { mails: [] },
    },
    'mailbox-mail': {
      plain: { ...kept, listUrl: home, parts: [{ text: 'Choose a new password:\n' }, { text: link, url: link }, { text: '\n\nThe link is good once.' }] },
    },
  }
}
