// Makes a passkey on the page of the ways to sign in, where the browser can.
const form = document.querySelector('form[data-enrol]')
const { PublicKeyCredential } = window

const api = async (path, options) => {
  const answer = await (await fetch(`/api/v1${path}`, options)).json()
  if (!answer.success) throw new Error(answer.message)
  return answer.data
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
  form.addEventListener('submit', async event => {
    event.preventDefault()
    note.textContent = ''
    try {
      await enrol()
    } catch (error) {
      // Who closed the dialog knows.
      if (['NotAllowedError', 'AbortError'].includes(error.name)) return
      // WebAuthn §6.3.2: the authenticator holds one of those that were named as there already.
      note.textContent = error.name === 'InvalidStateError' ? note.dataset.known : note.dataset.failed
    }
  })
}
