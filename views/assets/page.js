// Makes the pages nicer where there is script; every page works without it.
for (const button of document.querySelectorAll('[data-reveal]')) {
  const field = document.getElementById(button.getAttribute('aria-controls'))
  const show = shown => {
    field.type = shown ? 'text' : 'password'
    button.setAttribute('aria-pressed', String(shown))
  }
  button.hidden = false
  button.addEventListener('click', () => show(field.type === 'password'))
  field.form.addEventListener('submit', () => show(false))
}

// A form is sent once. The buttons are disabled after the submit, so that the pressed one's name and value still go along.
const sent = new Set()
const setDisabled = (form, disabled) => {
  for (const button of form.querySelectorAll('[type=submit]')) button.disabled = disabled
}
document.addEventListener('submit', event => {
  // What a script does instead of sending is its own to bound.
  if (event.defaultPrevented) return
  if (sent.has(event.target)) return event.preventDefault()
  sent.add(event.target)
  setTimeout(() => setDisabled(event.target, true))
})
// The back button may bring the page back as it was left.
addEventListener('pageshow', () => {
  for (const form of sent) setDisabled(form, false)
  sent.clear()
})

for (const button of document.querySelectorAll('[data-copy]')) {
  if (!navigator.clipboard) break
  button.hidden = false
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent)
    const status = button.parentElement.querySelector('[role=status]')
    status.textContent = status.dataset.copied
  })
}

for (const button of document.querySelectorAll('[data-print]')) {
  button.hidden = false
  button.addEventListener('click', () => print())
}

// For browsers that know autofocus only on fields; after the frame in which autofocus is done, and not from whoever went on already.
const focusAlert = () => {
  if (document.activeElement === document.body) document.querySelector('[role=alert]')?.focus()
}
requestAnimationFrame(() => setTimeout(focusAlert))

// A page that answered a form is gone back to, and reloaded, as its address: nobody is asked to send the form again.
history.replaceState(history.state, '')

// Whoever already said that they sign out is not asked again.
const automatic = document.querySelector('form[data-automatic]')
automatic?.requestSubmit(automatic.querySelector('[name=logout]'))
