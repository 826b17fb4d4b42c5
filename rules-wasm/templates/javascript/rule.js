/**
 * Finds a phrase in the texts of the message. With an action the gateway does that to each place; without, the message is blocked.
 */
export function evaluate({ texts }) {
  const phrase = gatehouse.config('phrase').toLowerCase()
  const findings = []
  for (const [number, text] of texts.entries()) {
    const folded = lower(text)
    for (let at = folded.indexOf(phrase); at >= 0; at = folded.indexOf(phrase, at + phrase.length))
      findings.push({ type: 'phrase', text: number, start: at, end: at + phrase.length })
  }
  if (findings.length === 0) return { verdict: 'pass' }
  const reason = 'This message holds a phrase that must not pass here.'
  return { verdict: 'block', reason, findings: findings.slice(0, 1000) }
}

/** Changes the letters of ASCII alone, so that places stay those of the text as it came. */
function lower(text) {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
