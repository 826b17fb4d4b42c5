/**
 * How well findings fit the truth. A truth counts as found when findings of its type cover at least half of it, a finding
 * as right when at least half of it lies in truths of its type. Findings are settled first as core settles them, so that
 * of several names for one stretch only the strongest counts.
 */
export function createScores(types) {
  const counts = new Map(types.map((type) => [type, { truths: 0, found: 0, findings: 0, right: 0 }]))
  return {
    add(entities, findings) {
      for (const truth of entities) {
        const count = counts.get(truth.type)
        count.truths += 1
        if (covered(truth, findings) >= 0.5) count.found += 1
      }
      for (const finding of findings) {
        const count = counts.get(finding.type)
        if (count === undefined) continue
        count.findings += 1
        if (covered(finding, entities) >= 0.5) count.right += 1
      }
    },
    rows: () => types.map((type) => ({ type, ...measure(counts.get(type)) })),
    all: () => measure(sum([...counts.values()])),
  }
}

/** The part of a span that spans of its type cover; those do not overlap. */
export function covered(span, others) {
  let length = 0
  for (const { type, start, end } of others) {
    if (type === span.type) length += Math.max(0, Math.min(end, span.end) - Math.max(start, span.start))
  }
  return length / (span.end - span.start)
}

function sum(counts) {
  const total = { truths: 0, found: 0, findings: 0, right: 0 }
  for (const count of counts) for (const key of Object.keys(total)) total[key] += count[key]
  return total
}

function measure({ truths, found, findings, right }) {
  const precision = findings === 0 ? null : right / findings
  const recall = truths === 0 ? null : found / truths
  const f1 = found === 0 || right === 0 ? 0 : (2 * precision * recall) / (precision + recall)
  return { truths, precision, recall, f1 }
}
