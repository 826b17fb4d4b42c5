import { isIP } from 'node:net'
import { words } from './recognizer.js'
import type { Match, Recognizer } from './recognizer.js'
import { TOP_LEVEL } from './top-level.js'

const email: Recognizer = {
  entity: 'EMAIL_ADDRESS',
  needs: 'at',
  pattern: /@(?:[\p{L}\p{N}-]{1,63}\.){1,8}[\p{L}\p{N}-]{2,63}/gu,
  hints: words('email e-mail mail'),
  judge: judgeEmail,
}

const LOCAL_PART = /[\p{L}\p{N}.!#$%&*+/?^_~-]/u
const INSIDE_A_WORD = /[\p{L}\p{N}]/u
const LONGEST_LOCAL_PART = 64

/** The pattern begins at the sign: what stands before it is walked back, so that no text makes it slow. */
function judgeEmail({ text, start, value, end }: Match) {
  const last = value.slice(value.lastIndexOf('.') + 1).toLowerCase()
  if (/\d/.test(last) || FILE_ENDINGS.has(last)) return null
  let at = start
  while (at > 0 && start - at < LONGEST_LOCAL_PART && isLocalPart(text, at - 1)) at -= 1
  // What is not a letter or a digit belongs to the text around it, where it comes first.
  while (at < start && /[^\p{L}\p{N}_+]/u.test(text[at] as string)) at += 1
  if (at === start) return null
  return { score: isTopLevel(last) ? 1 : 0.5, start: at, end }
}

/** An apostrophe only inside a name: `o'brien@…`, but not the one before `'ana@…`. The marks `=`, `{`, `|` are seldom meant. */
function isLocalPart(text: string, at: number): boolean {
  const sign = text[at] as string
  return LOCAL_PART.test(sign) || (sign === "'" && at > 0 && INSIDE_A_WORD.test(text[at - 1] as string))
}

/** In another script, or in the root. */
const isTopLevel = (label: string) => TOP_LEVEL.has(label) || label.startsWith('xn--') || /[^\x00-\x7f]/.test(label)

const FILE_ENDINGS = words('png jpg jpeg gif svg webp ico css js ts jsx tsx mjs json html htm xml yaml yml txt csv pdf')
/** Top-level domains that are more often a file's ending or a property in code. */
const DOUBTFUL = words(
  'py rs md sh pl ml cc so id name is in to me it do at no be my as am zip mov cs ps tm st la gs bin java rip map data call ' +
    'date page pages link box now new one top run show space store user host work works build click cat mo mp pm ms',
)

const url: Recognizer = {
  entity: 'URL',
  needs: 'dot',
  pattern: /(?<![\w@])(?:https?|ftps?|wss?):\/\/[^\s<>"'`{}|\\^]{3,2000}/gi,
  hints: words('url website link site homepage'),
  judge: ({ start, value }) => ({ score: 0.6, end: start + trimmed(value).length }),
}

const bareUrl: Recognizer = {
  entity: 'URL',
  needs: 'dot',
  pattern:
    /(?<![\w@./:=-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,6}[a-z]{2,24}(?![\w@-])(?::\d{2,5})?(?:\/[^\s<>"'`{}|\\^]{0,2000})?/gi,
  hints: words('url website link site homepage'),
  judge: judgeBareUrl,
}

function judgeBareUrl({ text, start, value }: Match) {
  // A host is not cut out of a word of another script.
  if (/[^\x00-\x7f]/.test(text[start - 1] ?? '')) return null
  const plain = trimmed(value)
  const host = plain.split(/[/:]/, 1)[0] as string
  const labels = host.toLowerCase().split('.')
  const last = labels.at(-1) as string
  if (!TOP_LEVEL.has(last) || FILE_ENDINGS.has(last)) return null
  const end = start + plain.length
  // `list.sort(`, `a.name = 1`, `user.data.id`: code.
  if (/^\(|^\.\w/.test(text.slice(end, end + 2)) || /[A-Z]/.test(host.slice(1)) !== /^[^a-z]*$/.test(host)) return null
  const known = labels[0] === 'www' || plain.length > host.length || !DOUBTFUL.has(last)
  return { score: known ? 0.5 : 0.1, end }
}

/** Without the punctuation that ends the sentence around it. */
function trimmed(value: string): string {
  let end = value.length
  while (end > 0 && /[.,;:!?*_~]/.test(value[end - 1] as string)) end -= 1
  while (end > 0 && /[)\]]/.test(value[end - 1] as string) && !isBalanced(value.slice(0, end))) end -= 1
  return value.slice(0, end)
}

const count = (text: string, sign: string) => text.split(sign).length
const isBalanced = (text: string) =>
  count(text, '(') >= count(text, ')') && count(text, '[') >= count(text, ']') && !/[.,;:!?]$/.test(text)

const ipv4: Recognizer = {
  entity: 'IP_ADDRESS',
  needs: 'dot',
  pattern: /(?<![\w.+-])(?<!\w:)(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d|-\d)(?:\/(?:3[0-2]|[12]?\d)(?!\d))?/g,
  hints: words('ip ipv4 host address addr client remote src dst peer'),
  judge({ text, start, value }) {
    if (isIP(value.split('/', 1)[0] as string) !== 4) return null
    return { score: IS_VERSION.test(text.slice(Math.max(0, start - 24), start)) ? 0.1 : 0.6 }
  },
}

/** Four small numbers with dots are a version more often than an address where one of these stands before them. */
const IS_VERSION = /(?:\b(?:version|release|build|chapter|section|firmware|v)|\/)[ :=v.]*$/i

const ipv6: Recognizer = {
  entity: 'IP_ADDRESS',
  needs: 'digit',
  pattern:
    /(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-f]{0,4})(?![\w:])(?:\/(?:12[0-8]|1[01]\d|\d{1,2})(?!\d))?/gi,
  hints: words('ip ipv6 host address addr client remote src dst peer'),
  judge({ value }) {
    const host = value.split('/', 1)[0] as string
    if (isIP(host) !== 6 || host === '::') return null
    return { score: 0.6 }
  },
}

export const INTERNET: readonly Recognizer[] = [email, url, bareUrl, ipv4, ipv6]
