/**
 * A text of at most `most` UTF-16 units that stands alone: a slice would keep the whole of a client's long text in memory
 * for as long as it is kept itself.
 */
export function clip(text: string, most: number): string {
  return text.length <= most ? text : Buffer.from(text.slice(0, most), 'utf16le').toString('utf16le')
}
