// Signs in by passkey: by autofill and by a button. Nothing opens by itself.
const form = document.querySelector('form[data-passkey]')
const { PublicKeyCredential } = window

const toBytes = text => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), one => one.charCodeAt(0))
const toText = bytes =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=/g, '')
// Older browsers, and password managers that stand in for them, know no JSON.
const fromJson = json =>
  PublicKeyCredential.parseRequestOptionsFromJSON?.(json) ?? {
    ...json,
    challenge: toBytes(json.challenge),
    allowCredentials: json.allowCredentials?.map(one => ({ ...one, id: toBytes(one.id) })),
  }
const toJson = credential => {
  if (credential.toJSON) return credential.toJSON()
  const { id, type, response } = credential
  const given = ['clientDataJSON', 'authenticatorData', 'signature', 'userHandle'].filter(name => response[name])
  return { id, rawId: id, type, response: Object.fromEntries(given.map(name => [name, toText(response[name])])) }
}

let asking
let last
let isOpen = false
// A browser asks one thing at a time: what was asked before is ended first.
const ask = mediation => {
  asking?.abort()
  asking = new AbortController()
  const request = run(mediation, asking.signal, last)
  last = request.catch(() => {})
  return request
}
const run = async (mediation, signal, before) => {
  await before
  const answer = await fetch(form.dataset.passkey, { method: 'POST', body: new URLSearchParams({ csrf: form.elements.csrf.value }), signal })
  if (!answer.ok) throw new Error(answer.status)
  const credential = await navigator.credentials.get({ publicKey: fromJson(await answer.json()), mediation, signal })
  form.elements.response.value = JSON.stringify(toJson(credential))
  form.requestSubmit()
}
const offer = async () => {
  const canOffer = document.querySelector('[autocomplete~=webauthn]') && (await PublicKeyCredential.isConditionalMediationAvailable?.())
  if (canOffer && !isOpen) await ask('conditional').catch(() => {})
}
const open = async () => {
  if (isOpen) return
  const note = form.querySelector('[role=status]')
  note.textContent = ''
  isOpen = true
  try {
    await ask('optional')
  } catch (error) {
    isOpen = false
    // Who closed the dialog knows.
    if (!['NotAllowedError', 'AbortError'].includes(error.name)) note.textContent = note.dataset.failed
    await offer()
  }
}

if (form && PublicKeyCredential) {
  form.hidden = false
  form.querySelector('button').addEventListener('click', open)
  // What the server does not know is not offered again.
  const { unknown } = form.dataset
  const signalled = unknown && PublicKeyCredential.signalUnknownCredential?.({ rpId: location.hostname, credentialId: unknown })
  addEventListener('pageshow', async ({ persisted }) => {
    if (persisted) isOpen = false
    await signalled?.catch(() => {})
    await offer()
  })
  // A challenge is good for five minutes.
  setInterval(offer, 240_000)
}
