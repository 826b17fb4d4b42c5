import ipaddr from 'ipaddr.js'

/** Why an address is not on the public internet, in the words of the registry: `private`, `linkLocal`, `carrierGradeNat`. */
export type Range = string

// Answers on public-looking addresses that only the machine's own cloud platform serves.
const PLATFORM = [ipaddr.parseCIDR('168.63.129.16/32')]
// The only IPv6 block from which public addresses are given out (RFC 4291, IANA registry).
const GLOBAL_IPV6 = ipaddr.parseCIDR('2000::/3')

/** The range of a literal address if it is not a public one; undefined if it is. What cannot be parsed is not public. */
export function specialRange(address: string): Range | undefined {
  if (!ipaddr.isValid(address)) return 'unparsable'
  const parsed = ipaddr.parse(address)
  const range = parsed.range()
  if (range !== 'unicast') return range
  if (parsed.kind() === 'ipv6' && !inside(parsed, GLOBAL_IPV6)) return 'unassigned'
  return PLATFORM.some((block) => inside(parsed, block)) ? 'platform' : undefined
}

export type Block = ReturnType<typeof ipaddr.parseCIDR>
type Address = ReturnType<typeof ipaddr.parse>

/** Parses `10.0.0.0/8`, `fd00::/8` or one address; undefined if it is neither. */
export function parseBlock(text: string): Block | undefined {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text)
  if (!isCanonical(text)) return undefined
  const address = ipaddr.parse(text)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

/** An IPv4-mapped address is never inside an IPv4 block: it has to be listed as what it is. */
export function inBlock(address: string, block: Block): boolean {
  return ipaddr.isValid(address) && inside(ipaddr.parse(address), block)
}

function inside(address: Address, [base, bits]: Block): boolean {
  return address.kind() === base.kind() && address.match(base, bits)
}

// `10.1` and `012.0.0.1` are addresses to some parsers and not to others: take only the plain spelling.
function isCanonical(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text)
}
