/** The data of the whole events of a stream so far, by the letter of HTML's section 9.2.6. Comments and bare ids are none. */
export function eventsOf(body: Buffer): readonly string[] {
  return body
    .toString('utf8')
    .split('\n\n')
    .slice(0, -1)
    .flatMap((block) => {
      const data = block.split('\n').flatMap((line) => (line.startsWith('data:') ? [line.slice(5).trimStart()] : []))
      return data.length === 0 || data.join('\n') === '' ? [] : [data.join('\n')]
    })
}

/** Lines that an event stream of ours may hold. */
const LINE = /^(?:|:[^\n]*|(?:data|id|event):[^\n]*|retry: ?\d+)$/

export const brokenLines = (body: Buffer): readonly string[] =>
  body
    .toString('utf8')
    .split('\n')
    .filter((line) => line.includes('\r') || !LINE.test(line))
