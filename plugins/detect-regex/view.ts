import type { Leaf } from '@gatehouse/sdk'

/** The texts of a message as all patterns of all rules look at them first: as one, made once. */
export interface View {
  readonly size: number
  /** All texts, with a sign between them that no pattern is likely to look for. */
  readonly joined: string
  /** The same in lower case. */
  lower(): string
  /** Milliseconds that patterns have taken for it beside the calls. */
  spentMs: number
}

/** Core shows every rule the same list, until one changes the message. */
const views = new WeakMap<readonly Leaf[], View>()

export function viewOf(leaves: readonly Leaf[]): View {
  const known = views.get(leaves)
  if (known !== undefined) return known
  const joined = leaves.length === 1 ? (leaves[0] as Leaf).text : leaves.map(({ text }) => text).join('\0')
  let lowered: string | undefined
  const view = { size: joined.length, joined, lower: () => (lowered ??= joined.toLowerCase()), spentMs: 0 }
  views.set(leaves, view)
  return view
}
