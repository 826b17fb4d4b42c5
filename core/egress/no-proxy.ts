import { isIP } from 'node:net'
import { inBlock, parseBlock } from './address.js'
import { matchesHost } from './allow-list.js'
import { isThisMachine } from './policy.js'
import type { Target } from './policy.js'

/**
 * Whether a target is reached directly although a proxy is set: `*`, host names (each covers its subdomains, with or without
 * a leading dot or `*.`), addresses, CIDRs, each optionally with `:port`. Targets on this machine are always direct.
 */
export function createBypass(noProxy: string): (target: Target) => boolean {
  const entries = noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)
  return (target) => isThisMachine(target.host) || entries.some((entry) => matches(entry, target))
}

function matches(entry: string, target: Target): boolean {
  if (entry === '*') return true
  const block = parseBlock(entry.replace(/^\[(.*)\]$/, '$1'))
  if (block) return isIP(target.host) !== 0 && inBlock(target.host, block)
  const withPort = /^(.+):(\d+)$/.exec(entry)
  if (withPort) return Number(withPort[2]) === target.port && matches(withPort[1] ?? '', target)
  const name = entry.replace(/^\*?\./, '')
  return matchesHost(name, target.host) || matchesHost(`*.${name}`, target.host)
}
