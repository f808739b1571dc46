// Chromium's virtual authenticator, and passkeys made with it as our own pages will make them.
import type { Page } from 'playwright-core'
import type { TestServer } from './server.ts'

/** A platform authenticator that knows its person. */
export type VirtualAuthenticator = Awaited<ReturnType<typeof addAuthenticator>>

/** Adds one to a page. It touches itself only when told to. */
export async function addAuthenticator(page: Page) {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable', { enableUI: false })
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: false,
    },
  })
  return {
    touch: (enabled = true) => session.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled }),
    know: (isUserVerified: boolean) => session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
    credentials: async () => (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
  }
}

/** Makes a passkey for whoever is signed in, on a page of the issuer, with the browser's own session. */
export async function makePasskey(page: Page, server: TestServer, authenticator: VirtualAuthenticator): Promise<{ id: string; name: string }> {
  await page.goto(`${server.issuer}/device`)
  await authenticator.touch()
  const made = await page.evaluate(`(async () => {
    const api = async (path, options) => (await (await fetch('/api/v1' + path, options)).json()).data
    const { csrf_token } = await api('/auth/me')
    const headers = { 'content-type': 'application/json', 'x-csrf-token': csrf_token }
    const options = await api('/users/me/passkeys/options', { method: 'POST', headers })
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
    const response = (await navigator.credentials.create({ publicKey })).toJSON()
    return api('/users/me/passkeys', { method: 'POST', headers, body: JSON.stringify({ response }) })
  })()`)
  await authenticator.touch(false)
  return made as { id: string; name: string }
}
