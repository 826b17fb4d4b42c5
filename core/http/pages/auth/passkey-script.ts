import type { Middleware } from 'koa'

export const PASSKEY_SCRIPT = '/auth/passkey.js'

/**
 * Asks the browser for a passkey with what the form carries, and sends the form with the answer. It talks to nobody by
 * itself: the form does, like every other one here.
 */
const SCRIPT = `'use strict'
;(() => {
  const form = document.querySelector('form[data-passkey]')
  const said = document.querySelector('[data-said]')
  const button = form.querySelector('button')
  const options = JSON.parse(form.dataset.options)
  const say = (text) => { said.textContent = text; said.hidden = text === '' }
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (sign) => sign.charCodeAt(0))
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=+$/, '')
  const list = (keys) => (keys ?? []).map((key) => ({ ...key, id: bytes(key.id) }))

  const make = async () => {
    const made = await navigator.credentials.create({ publicKey: {
      ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: list(options.excludeCredentials) } })
    const { response } = made
    return { id: made.id, rawId: text(made.rawId), type: made.type, clientExtensionResults: {}, response: {
      clientDataJSON: text(response.clientDataJSON), attestationObject: text(response.attestationObject),
      transports: response.getTransports?.() ?? [] } }
  }
  const use = async () => {
    const used = await navigator.credentials.get({ publicKey: {
      ...options, challenge: bytes(options.challenge), allowCredentials: list(options.allowCredentials) } })
    const { response } = used
    return { id: used.id, rawId: text(used.rawId), type: used.type, clientExtensionResults: {}, response: {
      clientDataJSON: text(response.clientDataJSON), authenticatorData: text(response.authenticatorData),
      signature: text(response.signature), userHandle: text(response.userHandle) } }
  }
  const ask = async () => {
    say('')
    button.disabled = true
    try {
      form.elements.namedItem('response').value = JSON.stringify(await (form.dataset.passkey === 'new' ? make() : use()))
      form.submit()
    } catch (error) {
      button.disabled = false
      say(error.name === 'InvalidStateError' ? 'This device has a passkey of yours already.'
        : 'The browser gave no passkey. You can try again, or go back and sign in another way.')
    }
  }
  if (!window.PublicKeyCredential) { button.disabled = true; say('This browser knows no passkeys.'); return }
  form.addEventListener('submit', (event) => { event.preventDefault(); void ask() })
})()
`

export const servePasskeyScript: Middleware = (ctx) => {
  ctx.type = 'text/javascript'
  ctx.set({ 'cache-control': 'public, max-age=3600', 'x-content-type-options': 'nosniff' })
  ctx.body = SCRIPT
}
