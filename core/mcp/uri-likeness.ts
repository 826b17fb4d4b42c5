const ENCODED = /%([0-9a-f]{2})/gi
const MOST_TURNS = 5

/**
 * What a server may take two URIs to have in common: whatever is encoded, how often, in which case, with which slashes, dots and
 * fragment. Only fit for refusing one because of another.
 */
export function likenessOf(uri: string): string {
  // Percent-encodings stand for bytes.
  let bytes = Buffer.from(uri).toString('latin1')
  for (let turn = 0; turn < MOST_TURNS && bytes.includes('%'); turn++)
    bytes = bytes.replaceAll(ENCODED, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
  const [plain = ''] = Buffer.from(bytes, 'latin1').toString().split('#', 1)
  const segments: string[] = []
  for (const segment of plain.normalize('NFC').toLowerCase().replaceAll('\\', '/').split('/')) {
    if (segment === '..' && segments.length > 1) segments.pop()
    else if (segment !== '' && segment !== '.' && segment !== '..') segments.push(segment)
  }
  return segments.join('/').replace(/\/?\?$/, '')
}

/** The likenesses that lead to a resource: with its query, and without it. */
export function likenessesOf(uri: string): readonly string[] {
  const [bare = ''] = uri.split('?', 1)
  return [likenessOf(uri), likenessOf(bare)]
}
