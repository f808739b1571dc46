/** The states in which the gallery shows the pages of second factors. */

import { Problem } from '../platform/errors.ts'
import { qrCodeOf } from '../platform/qr.ts'
import type { PageClient, PageLocals } from './page-locals.ts'

interface Samples {
  readonly form: { readonly action: string; readonly csrf: string }
  readonly client: PageClient
  readonly longClient: PageClient
  readonly account: string
  readonly longAccount: string
}

type FactorPages = 'second-factor' | 'enrol-totp' | 'recovery-codes'
type States = { readonly [View in FactorPages]: { readonly plain: PageLocals[View]; readonly [state: string]: PageLocals[View] } }

const seed = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
const uriOf = (account: string) => `otpauth://totp/Authy2:${encodeURIComponent(account)}?issuer=Authy2&secret=${seed}&algorithm=SHA1&digits=6&period=30`
const codes = Array.from({ length: 10 }, (_none, index) => `7KQ${index}-M2XD-9RTB-HW4${index}`)

const fault = (path: string, code: string) => new Problem('validation_failed', { fields: [{ path, code, message: '' }] })

/** Makes them of the gallery's samples. */
export const factorStates = ({ form, client, longClient, account, longAccount }: Samples): States => {
  const asked = {
    ...form,
    factor: 'totp',
    account,
    switchUrl: form.action,
    client,
    ways: [{ factor: 'recovery_code', url: form.action }],
    cancelAction: form.action,
  } as const
  const passkey = { action: form.action, optionsUrl: `${form.action}/passkey` }
  const recovery = { ...asked, factor: 'recovery_code', ways: [{ factor: 'totp', url: form.action }] } as const
  const enrolment = {
    ...form,
    account,
    client,
    secret: (seed.match(/.{4}/g) ?? []).join(' '),
    uri: uriOf(account),
    qr: qrCodeOf(uriOf(account)),
    cancelAction: form.action,
  }
  return {
    'second-factor': {
      plain: asked,
      alone: { ...asked, client: undefined, ways: [] },
      recovery,
      both: { ...asked, passkey },
      passkey: { ...asked, factor: 'passkey', passkey },
      'passkey-error': { ...asked, factor: 'passkey', passkey, ways: [], problem: new Problem('passkey_refused') },
      error: { ...asked, problem: new Problem('invalid_code') },
      'many-tries': { ...recovery, problem: new Problem('too_many_attempts', { retryAfterSeconds: 300 }) },
      'field-error': { ...asked, problem: fault('code', 'required') },
      long: { ...asked, client: longClient, account: longAccount },
    },
    'enrol-totp': {
      plain: enrolment,
      alone: { ...enrolment, client: undefined, cancelAction: undefined },
      'field-error': { ...enrolment, problem: fault('code', 'wrong_code') },
      long: { ...enrolment, client: longClient, account: longAccount, uri: uriOf(longAccount), qr: qrCodeOf(uriOf(longAccount)) },
    },
    'recovery-codes': {
      plain: { ...form, codes },
      'field-error': { ...form, codes, problem: fault('saved', 'required') },
    },
  }
}
