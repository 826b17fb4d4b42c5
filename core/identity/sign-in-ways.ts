/** A way to sign in elsewhere, such as at a company's identity provider. */
export interface SignInButton {
  readonly title: string
  /** A path of ours; where to go afterwards is added as `to`. */
  readonly url: string
}

/** The ways to sign in besides those of local accounts. The sign-in page asks for them each time that it is shown. */
export interface SignInWays {
  /** Where people with this e-mail address sign in, and nowhere else: a path of ours, to which `to` is added; null: here. */
  byEmail(email: string): Promise<{ readonly url: string } | null>
  /** What anybody may choose, in the order in which it is shown. */
  buttons(): Promise<readonly SignInButton[]>
}

export const NO_OTHER_WAYS: SignInWays = Object.freeze({
  byEmail: async () => null,
  buttons: async () => [],
})
