/**
 * Reads one HTTP/1.1 answer from the bytes that came so far; null while it is not whole. Only as much of HTTP as the
 * fronts of the benchmark speak: a length or chunks, no trailers.
 */
export function readAnswer(bytes) {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return null
  const head = bytes.latin1Slice(0, end)
  const status = Number(head.slice(9, 12))
  const body = bytes.subarray(end + 4)
  const length = /^content-length: *(\d+)/im.exec(head)
  if (length !== null) return body.length < Number(length[1]) ? null : { status, head, text: body.utf8Slice() }
  if (!/^transfer-encoding: *chunked/im.test(head)) return { status, head, text: '' }
  const text = readChunks(body)
  return text === null ? null : { status, head, text }
}

function readChunks(body) {
  const parts = []
  for (let at = 0; ;) {
    const line = body.indexOf('\r\n', at)
    if (line === -1) return null
    const size = parseInt(body.latin1Slice(at, line), 16)
    const start = line + 2
    if (body.length < start + size + 2) return null
    if (size === 0) return Buffer.concat(parts).utf8Slice()
    parts.push(body.subarray(start, start + size))
    at = start + size + 2
  }
}

/** The JSON-RPC message of an answer, in plain JSON or as the last event of a stream. */
export function readMessage({ head, text }) {
  if (text === '') return null
  if (!/^content-type: *text\/event-stream/im.test(head)) return JSON.parse(text)
  const events = text.split('\n').filter((line) => line.startsWith('data: {'))
  return JSON.parse(events.at(-1).slice('data: '.length))
}
