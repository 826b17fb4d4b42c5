import type { FeatureKind, Finding, JsonObject } from '@gatehouse/sdk'
import { settleSpans, wholeCharacters } from '../domain/actions.js'
import type { TextChange } from '../domain/actions.js'
import { changeText } from './json-text.js'
import { rewrite } from './leaves.js'
import type { Leaves } from './leaves.js'
import type { Leg } from './shape.js'

/** The message with every finding in its values changed. */
export function changeLeaves(
  { message, leaves }: { readonly message: JsonObject; readonly leaves: Leaves },
  leg: Leg,
  kind: FeatureKind,
  findings: readonly Finding[],
  change: TextChange,
): JsonObject {
  const byLeaf = new Map<number, Finding[]>()
  for (const finding of findings) {
    const spans = byLeaf.get(finding.leaf)
    if (spans === undefined) byLeaf.set(finding.leaf, [finding])
    else spans.push(finding)
  }
  const changed = new Map<number, string>()
  for (const [index, spans] of byLeaf) {
    const leaf = leaves.values[index]
    if (leaf !== undefined)
      changed.set(index, changeText(leaf.text, settleSpans(wholeCharacters(leaf.text, spans)), change))
  }
  return rewrite(message, leg, kind, changed)
}
