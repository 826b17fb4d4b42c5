import type { Context } from 'koa'
import type { SignedIn } from '../../../identity/console-sessions.js'
import type { Browser } from '../browser.js'
import { ACCOUNT, withTo } from './forms.js'
import type { AuthRoom } from './options.js'
import { seeOther } from '../see-other.js'

/** For the log. */
export const OLD_IS_WRONG = 'the old password is wrong, or the account rests'
const FRESH_MS = 10 * 60_000

/** Who is signed in; whoever is not is sent to sign in, and back to their account. */
export async function signedInOrSent(ctx: Context, browser: Browser): Promise<SignedIn | null> {
  const signedIn = await browser.session(ctx)
  const to = ctx.method === 'GET' ? ctx.path : ACCOUNT
  if (signedIn === null) seeOther(ctx, withTo('/auth/signin', to))
  return signedIn
}

/**
 * Whether a new password or passkey needs the old password: whoever came with it says it once more, lest an open browser be
 * enough to take an account away. Whoever has just come by another way may have forgotten it, and that way is proof enough.
 */
export async function needsOldPassword({ passwords }: AuthRoom, { user, method, since }: SignedIn): Promise<boolean> {
  const hasJustCome = ['code', 'passkey', 'sso'].includes(method) && Date.now() - since < FRESH_MS
  return !hasJustCome && passwords.has(user.id)
}

/** Null when the old password is there, or not needed; else what is wrong. */
export async function problemOfOld(
  ctx: Context,
  room: AuthRoom,
  { form, signedIn }: { readonly form: URLSearchParams; readonly signedIn: SignedIn },
): Promise<string | null> {
  if (!(await needsOldPassword(room, signedIn))) return null
  await room.slowDown(ctx)
  const isRight = await room.passwords.confirms(signedIn.user.email, form.get('old') ?? '')
  return isRight ? null : 'The old password is not right. After several failures the account rests for a while.'
}
