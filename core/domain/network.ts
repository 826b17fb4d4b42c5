/**
 * What limits are counted by: an address of IPv4, and of IPv6 the network of 64 bits that one household or company has to
 * itself (RFC 6177): whoever has one address of it has 2^64.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const filled = tail === undefined ? groups : [...groups, ...Array.from({ length: 8 }, () => '0')]
  return filled
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}
