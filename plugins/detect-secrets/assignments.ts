import { isPlaceholder } from '@gatehouse/sdk/patterns'
import type { Stretch } from '@gatehouse/sdk/patterns'
import { entropyOf, looksRandom, shareOfWords } from './entropy.js'

/** What a value is called where it is a secret, in lower case. Names in `PASSWORDS` are given by people, the others by machines. */
const PASSWORDS: readonly string[] = ['password', 'passwd', 'passphrase', 'pwd']
const KEYS: readonly string[] = [
  'secret',
  'token',
  'apikey',
  'api_key',
  'api-key',
  'accesskey',
  'access_key',
  'access-key',
  'authkey',
  'auth_key',
  'private_key',
  'privatekey',
  'encryption_key',
  'signing_key',
  'credential',
  'authorization',
]
export const NAMES: readonly string[] = [...PASSWORDS, ...KEYS]

/** What may stand between the name and its value: the rest of the name, a quote, an assignment, a quote, a scheme. */
const ASSIGNED =
  /(?:[_-]?(?:key|value|string|data|base|hex)){0,2}s?(?:[_-]?\d{1,2})?(?:\\?["'`])?\]?[ \t]{0,8}(?:::?=|=>|[:=](?![:=])|>)[ \t]{0,8}(?:\\?["'`]|@)?(?:(?:bearer|basic|token) )?/iy
const VALUE = /[^\s"'`,;<>(){}[\]\\|]{6,512}/y
/** In front of such a name it is a cursor, a count or a public value; with `::` it names a type. */
const HARMLESS =
  /(?:page|next|prev|previous|continuation|cancellation|cancel|cursor|resume|sync|progress|csrf|xsrf|authenticity|max|min|num|count|per|prompt|completion|input|output|total|public|reset|forgot|invalid|expired|missing|no|unknown|design|start|end|eos|bos|pad|stop|mask|special)[_-]?$|::\w*$/i
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
/** Code, paths, addresses and digests. */
const NO_VALUE =
  /^(?:[$%&#@!*?./~^-]|https?:|sha\d+[-:]|md5[-:]|v?\d+(?:\.\d+)+$|[a-z_$][\w$]*(?:\.[a-z_$][\w$]*)+$|[a-z_$][\w$]*[.:]{1,2}[A-Za-z_]|(?:process|os|env|config|settings|secrets|vault|ref|file|arn)[.:])/i

const SHORTEST_KEY = 16
/** How much of what stands in front of a name is looked at. */
const LONGEST_NAME = 24

export interface AssignmentOptions {
  readonly minEntropy: number
}

/** What the name at `at` is given there; `until` is where the value ended, secret or not. Null: nothing is given. */
export interface Assignment {
  readonly value: Stretch
  readonly isSecret: boolean
}

export function readAssignment(
  text: string,
  at: number,
  name: string,
  { minEntropy }: AssignmentOptions,
): Assignment | null {
  ASSIGNED.lastIndex = at + name.length
  if (!ASSIGNED.test(text)) return null
  VALUE.lastIndex = ASSIGNED.lastIndex
  const start = ASSIGNED.lastIndex
  const match = VALUE.exec(text)
  if (match === null) return null
  const [value] = match
  // What is followed by a parenthesis is a function's name.
  const isNamed = !HARMLESS.test(text.slice(Math.max(0, at - LONGEST_NAME), at)) && text[start + value.length] !== '('
  const isSecret =
    isNamed && !isHarmless(value) && (PASSWORDS.includes(name) ? isPassword(value) : isKey(value, minEntropy))
  return { value: [start, start + value.length], isSecret }
}

const isHarmless = (value: string) => isPlaceholder(value) || UUID.test(value) || NO_VALUE.test(value)

/** Random enough for a machine's key. */
const isKey = (value: string, minEntropy: number) => value.length >= SHORTEST_KEY && looksRandom(value, minEntropy)

/** People's passwords are short and made of words, but not of small letters alone. */
function isPassword(value: string): boolean {
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/].filter((kind) => kind.test(value)).length
  if (kinds < 2 || !/[0-9]|[^\w-]/.test(value)) return false
  return entropyOf(value) >= LEAST_PASSWORD_ENTROPY && shareOfWords(value) < 0.85
}
const LEAST_PASSWORD_ENTROPY = 2.2
