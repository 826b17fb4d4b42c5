/**
 * Names that no public address can have: of one label, under a domain that is set aside for private networks (RFC 6761, 6762,
 * 8375, 7686; `.internal` by ICANN), or under one that networks have long taken for themselves.
 */
export function isPrivateName(host: string): boolean {
  const labels = host.split('.')
  return labels.length < 2 || PRIVATE.has(labels.at(-1) ?? '') || host.endsWith('.home.arpa') || host === 'home.arpa'
}

const PRIVATE: ReadonlySet<string> = new Set(
  'localhost localdomain local internal intranet private corp home lan svc onion alt'.split(' '),
)

/**
 * Ports at which no HTTP is spoken but other services are, as browsers know them (Fetch standard, "bad port"): a request there is
 * meant to be read as something else.
 */
export function isOtherService(port: number): boolean {
  return OTHERS.has(port) || (port >= 6_665 && port <= 6_669)
}

const OTHERS: ReadonlySet<number> = new Set([
  1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
  111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
  540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1_719, 1_720, 1_723, 2_049, 3_659, 4_045, 4_190, 5_060,
  5_061, 6_000, 6_566, 6_679, 6_697, 10_080,
])
