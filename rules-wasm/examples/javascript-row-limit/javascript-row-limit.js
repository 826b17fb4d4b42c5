/**
 * Cuts results that have too many rows: lists of objects or lists in structured content and in texts that are JSON, and lines of texts
 * that look like a table. Whoever reads the result is told.
 */
export function evaluate({ message }) {
  const most = Number(gatehouse.config('maxRows'))
  const cut = { rows: 0 }
  const content = Array.isArray(message.content)
    ? message.content.map((block) => cutBlock(block, most, cut))
    : undefined
  const structured = cutLists(message.structuredContent, most, cut)
  if (cut.rows === 0) return { verdict: 'pass' }
  gatehouse.counter('rows', cut.rows)
  if (gatehouse.config('mode') === 'block')
    return { verdict: 'block', reason: `The result has more than ${most} rows. Ask for fewer, or for a page of them.` }
  const told = { type: 'text', text: `[${cut.rows} rows were left out: at most ${most} may be read at a time.]` }
  return {
    verdict: 'modify',
    message: {
      ...message,
      ...(content && { content: [...content, told] }),
      ...(structured !== undefined && { structuredContent: structured }),
    },
    findings: [{ type: 'rows' }],
  }
}

function cutBlock(block, most, cut) {
  if (block?.type !== 'text' || typeof block.text !== 'string') return block
  const text = cutText(block.text, most, cut)
  return text === block.text ? block : { ...block, text }
}

function cutText(text, most, cut) {
  const value = parse(text)
  if (typeof value !== 'object' || value === null) return cutTable(text, most, cut)
  const before = cut.rows
  const kept = cutLists(value, most, cut)
  if (cut.rows === before) return text
  return text.includes('\n') ? JSON.stringify(kept, null, 2) : JSON.stringify(kept)
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A list of numbers or texts is no table: it stays as it is. */
function cutLists(value, most, cut) {
  if (Array.isArray(value)) {
    const isTable = value.length > most && value.every((row) => typeof row === 'object' && row !== null)
    if (isTable) cut.rows += value.length - most
    return (isTable ? value.slice(0, most) : value).map((item) => cutLists(item, most, cut))
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cutLists(item, most, cut)]))
}

/** Lines with the same sign between columns, as often in each: the first is their head. */
function cutTable(text, most, cut) {
  const lines = text.split('\n')
  if (lines.length <= most + 1) return text
  for (const sign of ['|', '\t', ',', ';']) {
    const columns = lines[0].split(sign).length
    const isMarkdown = sign === '|' && /^[\s|:-]+$/.test(lines[1])
    const head = isMarkdown ? 2 : 1
    const end = lines.findIndex((line, n) => n >= head && line.split(sign).length !== columns)
    const rows = (end < 0 ? lines.length : end) - head
    if (columns < 2 || rows <= most) continue
    cut.rows += rows - most
    return [...lines.slice(0, head + most), ...(end < 0 ? [] : lines.slice(end))].join('\n')
  }
  return text
}
