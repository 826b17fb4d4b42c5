/** A way to sign in elsewhere, such as at a company's identity provider. */
export interface SignInButton {
  readonly title: string
  /** A path of ours; where to go afterwards is added as `to`. */
  readonly url: string
}

/** The ways to sign in besides those of local accounts. The sign-in page asks for them each time that it is shown. */
export interface SignInWays {
  /**
   * Where people with this e-mail address sign in: a path of ours, to which `to` is added; null: here. `required`: there
   * and nowhere else; others may do so with what this gateway knows of them, too.
   */
  byEmail(email: string): Promise<{ readonly url: string; readonly required: boolean } | null>
  /** What anybody may choose, in the order in which it is shown. */
  buttons(): Promise<readonly SignInButton[]>
}
