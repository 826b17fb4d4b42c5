import { isIPv6 } from 'node:net'
import type { Block } from './address.js'
import { inBlock, parseBlock } from './address.js'
import { GatehouseError } from '../errors.js'

/** What the operator opened: addresses and host names, each with or without one port. */
export interface AllowList {
  hasHost(host: string, port: number): boolean
  hasAddress(address: string, port: number): boolean
  /** Whether any address is listed at the port, so that a name not yet resolved may still turn out to be allowed. */
  hasBlocks(port: number): boolean
}

interface Entry {
  readonly target: Block | string
  readonly port: number | undefined
}

/**
 * Takes CIDRs, addresses, host names and `*.suffix` (which does not cover the suffix itself), each optionally with `:port`;
 * an IPv6 entry with a port needs brackets. An entry that can mean nothing refuses the start.
 */
export function parseAllowList(entries: readonly string[]): AllowList {
  const parsed = entries.map((entry) => parseEntry(entry.trim()))
  const blocks = parsed.flatMap(({ target, port }) => (typeof target === 'string' ? [] : [{ block: target, port }]))
  const hosts = parsed.flatMap(({ target, port }) => (typeof target === 'string' ? [{ pattern: target, port }] : []))
  return {
    hasBlocks: (port) => blocks.some((entry) => matchesPort(entry.port, port)),
    hasHost: (host, port) => hosts.some((entry) => matchesPort(entry.port, port) && matchesHost(entry.pattern, host)),
    hasAddress: (address, port) =>
      blocks.some((entry) => matchesPort(entry.port, port) && inBlock(address, entry.block)),
  }
}

/** What any of them lists, those that are added later too. */
export const anyOf = (lists: readonly AllowList[]): AllowList => ({
  hasBlocks: (port) => lists.some((list) => list.hasBlocks(port)),
  hasHost: (host, port) => lists.some((list) => list.hasHost(host, port)),
  hasAddress: (address, port) => lists.some((list) => list.hasAddress(address, port)),
})

/** `*.suffix` covers every name below the suffix; any other pattern covers itself. Both sides are lower case. */
export function matchesHost(pattern: string, host: string): boolean {
  return pattern.startsWith('*.')
    ? host.length > pattern.length - 1 && host.endsWith(pattern.slice(1))
    : host === pattern
}

function matchesPort(listed: number | undefined, port: number): boolean {
  return listed === undefined || listed === port
}

const HOST = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/

function parseEntry(entry: string): Entry {
  const { body, port } = splitPort(entry)
  const block = parseBlock(body)
  if (block) return { target: block, port }
  const host = body.toLowerCase().replace(/\.$/, '')
  if (!HOST.test(host) || /^[\d.]+$/.test(host)) throw invalid(entry)
  return { target: host, port }
}

function splitPort(entry: string): { body: string; port: number | undefined } {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(entry)
  if (bracketed) return { body: bracketed[1] ?? '', port: portOf(bracketed[2], entry) }
  if (isIPv6(entry.split('/')[0] ?? '')) return { body: entry, port: undefined }
  const colon = entry.lastIndexOf(':')
  if (colon === -1) return { body: entry, port: undefined }
  return { body: entry.slice(0, colon), port: portOf(entry.slice(colon + 1), entry) }
}

function portOf(text: string | undefined, entry: string): number | undefined {
  if (text === undefined) return undefined
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) throw invalid(entry)
  return port
}

function invalid(entry: string): GatehouseError {
  return new GatehouseError('GH_CONFIG_INVALID', {
    message: `GATEHOUSE_EGRESS_ALLOW: "${entry}" is not a CIDR, an address or a host name (optionally with :port)`,
  })
}
