// Makes a passkey on the page of the ways to sign in, where the browser can.
const form = document.querySelector('form[data-enrol]')
const { PublicKeyCredential } = window

const api = async (path, options) => {
  const answer = await fetch(`/api/v1${path}`, options)
  const { success, message, data } = await answer.json()
  if (!success) throw Object.assign(new Error(message), { status: answer.status })
  return data
}
const enrol = async () => {
  const { csrf_token } = await api('/auth/me')
  const headers = { 'content-type': 'application/json', 'x-csrf-token': csrf_token }
  const options = await api('/users/me/passkeys/options', { method: 'POST', headers })
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
  const credential = await navigator.credentials.create({ publicKey })
  await api('/users/me/passkeys', { method: 'POST', headers, body: JSON.stringify({ response: credential.toJSON() }) })
  location.assign(form.dataset.enrol)
}

if (form && PublicKeyCredential?.parseCreationOptionsFromJSON) {
  form.hidden = false
  const note = form.querySelector('[role=status]')
  const tell = error => {
    // Who closed the dialog knows.
    if (['NotAllowedError', 'AbortError'].includes(error.name)) return
    // The sign-in is over, or too long ago for this: the page asks for another.
    if ([401, 403].includes(error.status)) return location.assign('/account/security')
    const { known, failed, refused } = note.dataset
    // WebAuthn §6.3.2: the authenticator holds one of those that were named as there already.
    if (error.name === 'InvalidStateError') note.textContent = known
    else note.textContent = error instanceof DOMException ? failed : refused
  }
  let isOpen = false
  form.addEventListener('submit', async event => {
    event.preventDefault()
    if (isOpen) return
    isOpen = true
    note.textContent = ''
    await enrol().catch(tell)
    isOpen = false
  })
}
