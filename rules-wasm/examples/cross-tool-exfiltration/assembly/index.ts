import { Answer, Config, Counters, Message, serve, Text } from '@gatehouse/rule-assemblyscript/assembly'
import { Piece, piecesOf } from './fingerprints'
import { hasForgotten, isTainted, Known, remember, ROOM } from './memory'

export { gatehouse_rule_abi_1 } from '@gatehouse/rule-assemblyscript/assembly'

export function evaluate(): i32 {
  return serve(look)
}

const MOST_TOLD: i32 = 500

function look(message: Message): Answer {
  if (message.isResponse) return isOneOf('sensitive', message) ? learn(message) : message.pass()
  return isOneOf('outside', message) ? guard(message) : message.pass()
}

function learn(message: Message): Answer {
  const prints: u32[] = []
  const texts = message.texts
  const seen = new Set<u32>()
  for (let i = 0; i < texts.length; i++) {
    const pieces = piecesOf(texts[i])
    for (let n = 0; n < pieces.length; n++) {
      if (seen.has(pieces[n].print)) continue
      seen.add(pieces[n].print)
      prints.push(pieces[n].print)
    }
  }
  // Of too many those with the lowest numbers: the same ones of the same text at any time.
  if (prints.length > ROOM) {
    prints.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    prints.length = ROOM
  }
  Counters.add('read')
  const seconds = <i32>Config.integer('minutes', 15) * 60
  return remember(prints, seconds) ? message.pass() : message.undecided('What was read could not be remembered.')
}

function guard(message: Message): Answer {
  if (!isTainted()) return message.pass()
  if (Config.text('mode').equals('taint')) {
    return refuse(
      message,
      'Sensitive data was read on this connection a short while ago: nothing may leave through this tool now.',
    )
  }
  if (hasForgotten()) {
    return refuse(
      message,
      'More sensitive data was read on this connection than can be told apart: nothing may leave through this tool now.',
    )
  }
  return compare(message)
}

function compare(message: Message): Answer {
  const found = new Found()
  const texts = message.texts
  const keys = message.keys
  for (let i = 0; i < texts.length; i++) found.look(texts[i])
  for (let i = 0; i < keys.length; i++) found.look(keys[i])
  if (found.weight < <i32>Config.integer('least', 2)) return message.pass()
  Counters.add('stopped')
  found.tell(message)
  return message.block(
    'This call holds data that was read from a sensitive tool on this connection. It may not leave through this tool.',
  )
}

/** Pieces that are known; each counts once, wherever it stands. */
class Found {
  weight: i32 = 0
  private known: Known = new Known()
  private seen: Set<u32> = new Set<u32>()
  private texts: Text[] = []
  private pieces: Piece[] = []

  look(text: Text): void {
    const pieces = piecesOf(text)
    for (let i = 0; i < pieces.length; i++) {
      const piece = pieces[i]
      if (!this.known.has(piece.print)) continue
      if (!this.seen.has(piece.print)) this.weight += piece.weight
      this.seen.add(piece.print)
      this.texts.push(text)
      this.pieces.push(piece)
    }
  }

  tell(message: Message): void {
    for (let i = 0; i < min(this.pieces.length, MOST_TOLD); i++) {
      message.found('SENSITIVE_DATA', this.texts[i], this.pieces[i].start, this.pieces[i].end)
    }
  }
}

function refuse(message: Message, reason: string): Answer {
  Counters.add('stopped')
  message.foundSomewhere('TAINTED')
  return message.block(reason)
}

/** `server/tool`, with `*` for any signs. */
function isOneOf(key: string, message: Message): bool {
  const name = message.call.server.toString() + '/' + message.call.feature.toString()
  const globs = Config.list(key)
  for (let i = 0; i < globs.length; i++) if (fits(name, globs[i].toString())) return true
  return false
}

function fits(name: string, glob: string): bool {
  const parts = glob.split('*')
  const last = parts.length - 1
  if (last == 0) return name == glob
  if (!name.startsWith(parts[0]) || name.length < glob.length - last || !name.endsWith(parts[last])) return false
  let at = parts[0].length
  for (let i = 1; i < last; i++) {
    at = name.indexOf(parts[i], at)
    if (at < 0) return false
    at += parts[i].length
  }
  return at <= name.length - parts[last].length
}
