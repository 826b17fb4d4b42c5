import { email as emailShape } from '../../../configuration/schemas.js'
import { LONGEST_PASSWORD, problemOfPassword, SHORTEST_PASSWORD } from '../../../identity/password-rules.js'
import { html, type Html } from '../html.js'

export const ACCOUNT = '/auth/account'
/** What is at most read of any one field. */
const LONGEST = 1_000

export const withTo = (url: string, to: string): string =>
  `${url}${url.includes('?') ? '&' : '?'}to=${encodeURIComponent(to)}`

/** The first of what stands in a query under one name. */
export const first = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.[0]

export const textOf = (form: URLSearchParams, name: string): string => (form.get(name) ?? '').trim().slice(0, LONGEST)

/** An e-mail address as it is stored; null when it is none. */
export function emailOf(form: URLSearchParams): string | null {
  const parsed = emailShape.safeParse(textOf(form, 'email'))
  return parsed.success ? parsed.data : null
}

/** The new password of a form, or what is wrong with it. */
export function newPasswordOf(form: URLSearchParams, email: string): { password: string } | { problem: string } {
  const password = form.get('password') ?? ''
  const problem = problemOfPassword(password, email)
  if (problem !== null) return { problem }
  return password === form.get('again') ? { password } : { problem: 'The two passwords differ.' }
}

export const problemNote = (problem: string | undefined): Html | false =>
  problem !== undefined && html`<p class="error" role="alert">${problem}</p>`

export const newPasswordFields = (label = 'Password', isNeeded = true): Html => {
  const needed = isNeeded && html`required`
  return html`<label for="password">${label}</label>
    <input
      type="password"
      id="password"
      name="password"
      autocomplete="new-password"
      minlength="${SHORTEST_PASSWORD}"
      maxlength="${LONGEST_PASSWORD}"
      aria-describedby="password-hint"
      ${needed}
    />
    <p class="hint" id="password-hint">At least ${SHORTEST_PASSWORD} characters. A few unrelated words are good.</p>
    <label for="again">Once more</label>
    <input
      type="password"
      id="again"
      name="again"
      autocomplete="new-password"
      maxlength="${LONGEST_PASSWORD}"
      ${needed}
    />`
}

export const nameField = (name: string): Html =>
  html`<label for="name">Name</label>
    <input type="text" id="name" name="name" value="${name}" autocomplete="name" maxlength="100" required />`

export const OLD_PASSWORD = html`<label for="old">Old password</label>
  <input
    type="password"
    id="old"
    name="old"
    autocomplete="current-password"
    maxlength="${LONGEST_PASSWORD}"
    required
  />`
