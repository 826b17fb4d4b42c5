import { askService } from '@gatehouse/sdk'
import type { Asking, Piece, PiecesAnswer, PluginContext, TextService } from '@gatehouse/sdk'
import { readAnswer } from './answer.js'
import type { Sanitized } from './answer.js'
import { readKey, urlOf } from './config.js'
import type { Instance, Key } from './config.js'
import { createTokens } from './token.js'
import type { Tokens } from './token.js'

/** A filter takes some thousands of tokens, and is skipped beyond: texts stay well below. */
export const LIMITS = { characters: 20_000, pieces: 500, questions: 20 }

const MOST_BYTES = 4 * 1_048_576
/** More pieces than this are not asked about one by one when they need masking: the message is blocked. */
const MOST_ALONE = 20

type Context = Pick<PluginContext<unknown>, 'fetch' | 'now'>

/**
 * All pieces of a question are sanitized as one text, which is one call when nothing is found. When sensitive data is all that was
 * found and the template masks it, each piece is sanitized by itself, so that each gets its own text back.
 */
export function openModelArmor(context: Context, instance: Instance): TextService {
  const tokens = createTokens(context, readKey(instance.serviceAccount) as Key)
  const sanitize = (text: string, asking: Asking) => sanitizeOne({ context, instance, tokens }, text, asking)
  return async (pieces, asking) => {
    const whole = await sanitize(pieces.map(({ text }) => text).join('\n\n'), asking)
    if (whole.kind !== 'masked') return whole
    if (pieces.length === 1) return { kind: 'changed', texts: [whole.text] }
    if (pieces.length > MOST_ALONE) return { kind: 'block', reason: 'Model Armor found sensitive data.' }
    return maskEach(pieces, (text) => sanitize(text, asking))
  }
}

async function maskEach(
  pieces: readonly Piece[],
  sanitize: (text: string) => Promise<Sanitized>,
): Promise<PiecesAnswer> {
  const texts: string[] = []
  for (const { text } of pieces) {
    const one = await sanitize(text)
    if (one.kind === 'block' || one.kind === 'undecided') return one
    texts.push(one.kind === 'masked' ? one.text : text)
  }
  const isMasked = texts.some((text, index) => text !== pieces[index]?.text)
  // It was found across pieces, and in none of them alone.
  return isMasked ? { kind: 'changed', texts } : { kind: 'block', reason: 'Model Armor found sensitive data.' }
}

interface Parts {
  readonly context: Context
  readonly instance: Instance
  readonly tokens: Tokens
}

async function sanitizeOne({ context, instance, tokens }: Parts, text: string, asking: Asking): Promise<Sanitized> {
  const granted = await tokens.get(asking)
  if (!granted.ok) return { kind: 'undecided', message: granted.message }
  const body = JSON.stringify(asking.leg === 'request' ? { userPromptData: { text } } : { modelResponseData: { text } })
  const headers = {
    authorization: `Bearer ${granted.token}`,
    'content-type': 'application/json',
    accept: 'application/json',
  }
  const init = () => ({ method: 'POST', headers, body, maxBytes: MOST_BYTES })
  const answer = await askService(context.fetch, { url: urlOf(instance, asking.leg), init, hints: HINTS }, asking)
  if (answer.ok) return readAnswer(answer.json)
  if (answer.status === 401) tokens.forget()
  return { kind: 'undecided', message: answer.message }
}

const HINTS = {
  400: 'the template may not be of this location',
  401: 'the token of the service account was not taken',
  403: 'the service account may not use Model Armor (roles/modelarmor.user)',
  404: 'there is no such template',
  429: 'the quota of the project is used up',
}
