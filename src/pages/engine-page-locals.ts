/** What the pages need that the protocol engine asks for: devices and signing out. */
import type { FormProblem, PageClient } from './page-locals.ts'

/** Posts `xsrf`, `user_code` to `action`; its field error is `user_code`. */
export interface DeviceCodePage extends FormProblem {
  readonly action: string
  readonly xsrf: string
  readonly userCode?: string
}

/** Posts `xsrf`, `user_code` and `confirm=yes` or `abort=yes` to `action`. */
export interface DeviceConfirmPage extends FormProblem {
  readonly action: string
  readonly xsrf: string
  readonly userCode: string
  readonly client: PageClient
  readonly device: { readonly ip?: string; readonly userAgent?: string }
}

/** Says that a device is signed in, or is not. */
export interface DeviceDonePage {
  readonly client?: PageClient
}

/** Posts `xsrf` and, to sign out, `logout=yes` to `action`. */
export interface LogoutPage extends FormProblem {
  readonly action: string
  readonly xsrf: string
  /** The client proved that it may: nobody is asked where there is script. */
  readonly isAutomatic?: boolean
  readonly client?: PageClient
}

/** Says that nobody is signed in any more. */
export interface SignedOutPage {
  /** They chose to stay. */
  readonly isStillSignedIn?: boolean
  readonly client?: PageClient
  readonly returnUrl?: string
}

/** View name to the type of its locals. */
export interface EnginePageLocals {
  readonly 'device-code': DeviceCodePage
  readonly 'device-confirm': DeviceConfirmPage
  readonly 'device-done': DeviceDonePage
  readonly logout: LogoutPage
  readonly 'signed-out': SignedOutPage
}

type Names = { readonly [View in keyof EnginePageLocals]: Readonly<Record<keyof Required<EnginePageLocals[View]>, true>> }

/** The names of each page's locals; the compiler holds them equal to the types. */
export const engineLocalNames: Names = {
  'device-code': { problem: true, action: true, xsrf: true, userCode: true },
  'device-confirm': { problem: true, action: true, xsrf: true, userCode: true, client: true, device: true },
  'device-done': { client: true },
  logout: { problem: true, action: true, xsrf: true, isAutomatic: true, client: true },
  'signed-out': { isStillSignedIn: true, client: true, returnUrl: true },
}
