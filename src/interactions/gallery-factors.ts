/** The states in which the gallery shows the pages of second factors. */
import { qrCodeOf } from '../mfa/qr.ts'
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
      error: { ...asked, error: 'This code is not valid, or was used already.' },
      'many-tries': { ...recovery, error: 'Too many attempts. Try again in 5 minutes.' },
      'field-error': { ...asked, fieldErrors: { code: 'Enter the code.' } },
      long: { ...asked, client: longClient, account: longAccount },
    },
    'enrol-totp': {
      plain: enrolment,
      alone: { ...enrolment, client: undefined, cancelAction: undefined },
      'field-error': { ...enrolment, fieldErrors: { code: 'This code is not the one your app shows now. Wait for the next and try again.' } },
      long: { ...enrolment, client: longClient, account: longAccount, uri: uriOf(longAccount), qr: qrCodeOf(uriOf(longAccount)) },
    },
    'recovery-codes': {
      plain: { ...form, codes },
      'field-error': { ...form, codes, fieldErrors: { saved: 'Save the codes before you go on.' } },
    },
  }
}
