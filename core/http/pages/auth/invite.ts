import type { Router } from '@koa/router'
import type { Context } from 'koa'
import type { UserRef } from '@gatehouse/sdk'
import { GatehouseError } from '../../../errors.js'
import { html } from '../html.js'
import { showPage } from '../page.js'
import { ACCOUNT, nameField, newPasswordFields, newPasswordOf, problemNote, textOf, withTo } from './forms.js'
import type { AuthRoom } from './options.js'
import { seeOther } from '../see-other.js'

interface Shown {
  readonly secret: string
  readonly user: UserRef
  readonly problem?: string
}

/** Where people come in who were invited: they say who they are and how they will sign in. */
export function layOutInvite(router: Router, room: AuthRoom): void {
  const { browser, invitations, sessions } = room

  const guestOf = async (secret: string): Promise<UserRef> => {
    const userId = await invitations.of(secret)
    if (userId === null) throw gone()
    const user = await sessions.person(userId)
    if (user === null) throw new GatehouseError('GH_PAGE_DISABLED', { detail: 'the person is disabled' })
    return user
  }

  router.get('/invite/:secret', async (ctx) => {
    const { secret = '' } = ctx.params
    const user = await guestOf(secret)
    const elsewhere = await room.ways.byEmail(user.email)
    // What they would set here, they could not use: the provider knows them, and ties them to this account.
    if (elsewhere?.required) return ctx.redirect(withTo(elsewhere.url, ACCOUNT))
    show(ctx, room, { secret, user })
  })

  router.post('/invite/:secret', async (ctx) => {
    const form = await browser.readForm(ctx)
    await room.slowDown(ctx)
    const { secret = '' } = ctx.params
    const user = await guestOf(secret)
    const name = textOf(form, 'name').slice(0, 100)
    const isByPasskey = form.get('way') === 'passkey' && room.passkeys.isPossible()
    const chosen = isByPasskey ? null : newPasswordOf(form, user.email)
    if (chosen !== null && 'problem' in chosen)
      return show(ctx, room, { secret, user: { ...user, name }, problem: chosen.problem })
    // Nobody loses a link to a way that is not open to them.
    const elsewhere = await room.ways.byEmail(user.email)
    if (elsewhere?.required) return seeOther(ctx, withTo(elsewhere.url, ACCOUNT))
    const hash = chosen === null ? null : await room.passwords.hash(chosen.password)
    if ((await invitations.take(secret)) === null) throw gone()
    await room.endWays(user.id)
    if (hash !== null) await room.passwords.keep(user.id, hash)
    if (name !== '' && name !== user.name) await room.joining.rename(user, name)
    const to = isByPasskey ? '/auth/passkeys/new' : `${ACCOUNT}?done=welcome`
    await room.welcome(ctx, { userId: user.id, method: 'invite', to })
  })
}

const gone = () =>
  new GatehouseError('GH_PAGE_GONE', {
    message: 'This invitation has expired, was taken back or was used already. Ask whoever invited you for a new one.',
    detail: 'the invitation is unknown, spent or expired',
  })

function show(ctx: Context, { browser, passkeys }: AuthRoom, { secret, user, problem }: Shown): void {
  showPage(ctx, {
    title: 'Welcome',
    status: problem === undefined ? 200 : 400,
    body: html`<h1>Welcome to Gatehouse</h1>
      <p>You have been invited as <b>${user.email}</b>.</p>
      ${problemNote(problem)}
      <form method="post" action="/auth/invite/${secret}">
        ${browser.formField(ctx)}
        <input type="hidden" name="username" value="${user.email}" autocomplete="username" />
        ${nameField(user.name)} ${newPasswordFields('Password')}
        <button class="main">Join</button>
        ${passkeys.isPossible() && html`<button name="way" value="passkey" formnovalidate>Use a passkey instead</button>`}
      </form>`,
  })
}
