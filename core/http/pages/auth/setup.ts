import type { Router } from '@koa/router'
import type { Context } from 'koa'
import { OPERATOR_EMAIL } from '../../../domain/people.js'
import { GatehouseError } from '../../../errors.js'
import { html } from '../html.js'
import { showPage } from '../page.js'
import { ACCOUNT, emailOf, nameField, newPasswordFields, newPasswordOf, problemNote, textOf } from './forms.js'
import type { AuthRoom } from './options.js'

interface Shown {
  readonly secret: string
  readonly email?: string
  readonly name?: string
  readonly problem?: string
}

/** Where the first super admin comes in: the link that the gateway prints when nobody can administer it. */
export function layOutSetup(router: Router, room: AuthRoom): void {
  const { browser, setupLinks, joining } = room

  router.get('/setup/:secret', async (ctx) => {
    const { secret = '' } = ctx.params
    if (!(await setupLinks.isGood(secret))) throw gone()
    show(ctx, room, { secret })
  })

  router.post('/setup/:secret', async (ctx) => {
    const form = await browser.readForm(ctx)
    await room.slowDown(ctx)
    const { secret = '' } = ctx.params
    if (!(await setupLinks.isGood(secret))) throw gone()
    const [email, name] = [emailOf(form), textOf(form, 'name').slice(0, 100)]
    const isByPasskey = form.get('way') === 'passkey' && room.passkeys.isPossible()
    const chosen = isByPasskey ? null : newPasswordOf(form, email ?? '')
    const problem = problemOf(email, name) ?? (chosen !== null && 'problem' in chosen ? chosen.problem : undefined)
    if (email === null || problem !== undefined)
      return show(ctx, room, { secret, email: textOf(form, 'email'), name, ...(problem && { problem }) })
    const hash = chosen !== null && 'password' in chosen ? await room.passwords.hash(chosen.password) : null
    if (!(await setupLinks.take(secret))) throw gone()
    const to = isByPasskey ? '/auth/passkeys/new' : `${ACCOUNT}?done=welcome`
    try {
      const user = await joining.superAdmin({ email, name })
      // Somebody who is known and has lost their way in.
      await room.endWays(user.id)
      if (hash !== null) await room.passwords.keep(user.id, hash)
      await room.welcome(ctx, { userId: user.id, method: 'setup', to })
    } catch (thrown) {
      await setupLinks.giveBack(secret)
      if (!(thrown instanceof GatehouseError) || thrown.code !== 'GH_API_CONFLICT') throw thrown
      return show(ctx, room, { secret, email, name, problem: thrown.message })
    }
    await setupLinks.endAll()
  })
}

function problemOf(email: string | null, name: string): string | undefined {
  if (email === null) return 'This is no e-mail address.'
  if (email === OPERATOR_EMAIL) return `'${OPERATOR_EMAIL}' belongs to the command line. Take your own address.`
  return name === '' ? 'Please give your name.' : undefined
}

const gone = () =>
  new GatehouseError('GH_PAGE_GONE', {
    message: 'This set-up link has expired or was used already. The command gatehouse setup-link makes a new one.',
    detail: 'the set-up link is unknown, spent or expired',
  })

function show(ctx: Context, { browser, passkeys }: AuthRoom, { secret, email = '', name = '', problem }: Shown): void {
  showPage(ctx, {
    title: 'Set up',
    status: problem === undefined ? 200 : 400,
    body: html`<h1>Set up your Gatehouse</h1>
      <p>You will be its first super admin, who may do everything and invites the others.</p>
      ${problemNote(problem)}
      <form method="post" action="/auth/setup/${secret}">
        ${browser.formField(ctx)}
        <label for="email">E-mail address</label>
        <input type="email" id="email" name="email" value="${email}" autocomplete="username" required />
        ${nameField(name)} ${newPasswordFields('Password')}
        <button class="main">Create account</button>
        ${passkeys.isPossible() && html`<button name="way" value="passkey" formnovalidate>Use a passkey instead</button>`}
      </form>`,
  })
}
