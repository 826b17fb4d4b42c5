import { Text } from '@gatehouse/rule-assemblyscript/assembly'

// What begins like this, and goes on for so long in the alphabet of tokens, is a secret whatever its entropy.

class Prefix {
  constructor(
    readonly text: string,
    /** Signs that must follow. */
    readonly least: i32,
  ) {}
}

const PREFIXES: Prefix[] = [
  new Prefix('AKIA', 16),
  new Prefix('ASIA', 16),
  new Prefix('AIza', 35),
  new Prefix('AGE-SECRET-KEY-1', 50),
  new Prefix('SG.', 40),
  new Prefix('dapi', 32),
  new Prefix('dop_v1_', 64),
  new Prefix('gho_', 36),
  new Prefix('ghp_', 36),
  new Prefix('ghr_', 36),
  new Prefix('ghs_', 36),
  new Prefix('ghu_', 36),
  new Prefix('github_pat_', 40),
  new Prefix('glpat-', 20),
  new Prefix('hf_', 30),
  new Prefix('hvs.', 24),
  new Prefix('lin_api_', 32),
  new Prefix('npm_', 36),
  new Prefix('pypi-AgE', 40),
  new Prefix('rk_live_', 20),
  new Prefix('sk-', 32),
  new Prefix('sk_live_', 20),
  new Prefix('sk_test_', 20),
  new Prefix('shpat_', 32),
  new Prefix('sq0csp-', 40),
  new Prefix('whsec_', 24),
  new Prefix('xapp-', 24),
  new Prefix('xoxa-', 24),
  new Prefix('xoxb-', 24),
  new Prefix('xoxp-', 24),
  new Prefix('xoxs-', 24),
  new Prefix('ya29.', 30),
  new Prefix('eyJ', 60),
]

/** Whether the token (`start` to `end` of the text) begins with a prefix that issuers give to secrets. */
export function isKnownSecret(text: Text, start: i32, end: i32): bool {
  for (let i = 0; i < PREFIXES.length; i++) {
    const prefix = PREFIXES[i]
    const size = prefix.text.length
    if (end - start < size + prefix.least || text.byteAt(start) != prefix.text.charCodeAt(0)) continue
    let n = 1
    while (n < size && text.byteAt(start + n) == prefix.text.charCodeAt(n)) n++
    if (n == size && (prefix.least < 60 || isWebToken(text, start, end, prefix.text))) return true
  }
  return false
}

/** `eyJ` alone begins every JSON object in base64: a JSON Web Token has two points besides. */
function isWebToken(text: Text, start: i32, end: i32, prefix: string): bool {
  if (prefix != 'eyJ') return true
  let points = 0
  for (let i = start; i < end; i++) if (text.byteAt(i) == 0x2e) points++
  return points >= 2
}
