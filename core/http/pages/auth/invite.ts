import type { Router } from '@koa/router'
import type { Context } from 'koa'
import type { UserRef } from '@gatehouse/sdk'
import { asGatehouseError, GatehouseError } from '../../../errors.js'
import { html } from '../html.js'
import { showPage } from '../page.js'
import { ACCOUNT, nameField, newPasswordFields, newPasswordOf, problemNote, seeOther, textOf } from './forms.js'
import type { AuthRoom } from './options.js'

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
    if (elsewhere?.required) return ctx.redirect(elsewhere.url)
    show(ctx, room, { secret, user })
  })

  router.post('/invite/:secret', async (ctx) => {
    const form = await browser.readForm(ctx)
    await room.slowDown(ctx)
    const { secret = '' } = ctx.params
    const user = await guestOf(secret)
    const elsewhere = await room.ways.byEmail(user.email)
    if (elsewhere?.required) return seeOther(ctx, elsewhere.url)
    const name = textOf(form, 'name').slice(0, 100)
    const isByPasskey = form.get('way') === 'passkey' && room.passkeys.isPossible()
    const chosen = isByPasskey ? null : newPasswordOf(form, user.email)
    if (chosen !== null && 'problem' in chosen)
      return show(ctx, room, { secret, user: { ...user, name }, problem: chosen.problem })
    if ((await invitations.take(secret)) === null) throw gone()
    if (chosen !== null) await room.passwords.set(user.id, chosen.password)
    await browser.signIn(ctx, user.id, { method: 'invite' })
    if (name !== '' && name !== user.name) await rename(room, user, name)
    seeOther(ctx, isByPasskey ? '/auth/passkeys/new' : `${ACCOUNT}?done=welcome`)
  })
}

/** Whom the file names, it names: that must not keep anybody from coming in. */
async function rename({ joining }: AuthRoom, user: UserRef, name: string): Promise<void> {
  try {
    await joining.rename(user, name)
  } catch (thrown) {
    if (asGatehouseError(thrown).code !== 'GH_API_CONFLICT') throw thrown
  }
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
