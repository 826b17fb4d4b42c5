import { negative } from './hard-negatives.mjs'
import { FILLERS, NOUNS } from './words.mjs'
import { NEEDS_HINT, PHRASES } from './phrases.mjs'
import { VALUES } from './values.mjs'

/** Puts a text together and remembers where its entities stand, in UTF-16 units. */
export function createWriter() {
  let text = ''
  const entities = []
  return {
    write(part) {
      text += part
      return this
    },
    entity(type, value) {
      entities.push({ type, start: text.length, end: text.length + value.length })
      text += value
      return this
    },
    /** `{}` of the phrase becomes the value. */
    phrase(phrase, type, value) {
      const [before, after] = phrase.split('{}')
      return this.write(before).entity(type, value).write(after)
    },
    done: () => ({ text, entities }),
  }
}

const valueOf = (random, type) => VALUES[type](random)

function phraseOf(random, type) {
  const { hinted, bare } = PHRASES[type]
  return random.pick(random.chance(NEEDS_HINT.has(type) ? 0.9 : 0.55) ? hinted : bare)
}

const sentence = (random, writer, type) => writer.phrase(phraseOf(random, type), type, valueOf(random, type))
const filler = (random) => (random.chance(0.4) ? negative(random) : random.pick(FILLERS))
const keyOf = (random, type) => random.pick(PHRASES[type].keys)
/** A value that fits between quotes. */
const quoted = (random, type) => valueOf(random, type).replaceAll('"', '')

function prose(random, writer, types) {
  const parts = random.shuffle([...types, ...Array.from({ length: random.between(0, 3) }, () => null)])
  for (const [index, type] of parts.entries()) {
    if (index > 0) writer.write(random.pick([' ', ' ', '\n']))
    if (type === null) writer.write(filler(random))
    else sentence(random, writer, type)
  }
}

function mail(random, writer, types) {
  writer.write('From: ').entity('EMAIL_ADDRESS', valueOf(random, 'EMAIL_ADDRESS'))
  writer.write('\nTo: ').entity('EMAIL_ADDRESS', valueOf(random, 'EMAIL_ADDRESS'))
  writer.write(`\nSubject: your ${random.pick(NOUNS)}\n\nHello,\n\n`)
  prose(random, writer, types)
  writer.write(random.pick(['\n\nBest regards,\n', '\n\nCheers,\n', '\n\nKind regards\n']))
  writer.entity('PERSON', valueOf(random, 'PERSON'))
}

function json(random, writer, types) {
  const pretty = random.chance(0.5)
  const [gap, space] = pretty ? ['\n  ', ' '] : ['', '']
  writer.write(`{${gap}"id":${space}${random.between(1, 90_000)}`)
  for (const type of random.shuffle(types)) {
    const key = random.chance(NEEDS_HINT.has(type) ? 1 : 0.7)
      ? keyOf(random, type)
      : random.pick(['value', 'field1', 'text'])
    writer.write(`,${gap}"${key}":${space}"`).entity(type, quoted(random, type)).write('"')
  }
  if (random.chance(0.6)) writer.write(`,${gap}"note":${space}${JSON.stringify(filler(random))}`)
  writer.write(pretty ? '\n}' : '}')
}

function log(random, writer, types) {
  for (const [index, type] of types.entries()) {
    if (index > 0) writer.write('\n')
    const stamp = `${random.between(2019, 2026)}-0${random.between(1, 9)}-${random.between(10, 28)}T${random.between(10, 23)}:${random.between(10, 59)}:${random.between(10, 59)}Z`
    writer.entity('DATE_TIME', stamp)
    writer.write(
      ` ${random.pick(['INFO', 'WARN', 'ERROR'])} ${random.pick(NOUNS)}-${random.pick(['worker', 'api'])}[${random.between(100, 9999)}]: `,
    )
    if (random.chance(0.5))
      writer
        .write(`${keyOf(random, type)}=`)
        .entity(type, valueOf(random, type))
        .write(' status=ok')
    else sentence(random, writer, type)
  }
}

function table(random, writer, types) {
  const separator = random.pick([' | ', ';', '\t', ','])
  const columns = random.shuffle(types).filter((type) => separator !== ',' || type !== 'PERSON')
  const edge = separator === ' | ' ? '| ' : ''
  const close = separator === ' | ' ? ' |' : ''
  writer.write(`${edge}${['id', ...columns.map((type) => keyOf(random, type))].join(separator)}${close}`)
  for (let row = 1; row <= random.between(1, 3); row += 1) {
    writer.write(`\n${edge}${row}`)
    for (const type of columns) writer.write(separator).entity(type, quoted(random, type).replaceAll(',', ''))
    writer.write(close)
  }
}

function form(random, writer, types) {
  for (const [index, type] of random.shuffle(types).entries()) {
    if (index > 0) writer.write('\n')
    const key = keyOf(random, type)
    writer.write(`${random.pick(['', '- ', '* '])}${key.replaceAll('_', ' ')}: `).entity(type, valueOf(random, type))
  }
  if (random.chance(0.5)) writer.write(`\n${random.pick(['remark', 'note'])}: ${filler(random)}`)
}

function markup(random, writer, types) {
  writer.write(random.pick(['<ul>', '<record>', '<div class="box">']))
  for (const type of types) {
    const tag = random.pick(['li', 'span', 'field'])
    writer.write(`<${tag}>`)
    if (random.chance(0.5)) sentence(random, writer, type)
    else writer.write(`${keyOf(random, type)}: `).entity(type, valueOf(random, type))
    writer.write(`</${tag}>`)
  }
  writer.write('</div>')
}

function chat(random, writer, types) {
  for (const [index, type] of types.entries()) {
    if (index > 0) writer.write('\n')
    writer.write(random.pick(['user: ', 'agent: ', '> ', 'bot: ']))
    sentence(random, writer, type)
    if (random.chance(0.4)) writer.write(random.pick([' 🙂', ' 👍🏽', ' ok?', ' thx']))
  }
}

function code(random, writer, types) {
  writer.write(`INSERT INTO ${random.pick(NOUNS)}s (${types.map((type) => keyOf(random, type)).join(', ')}) VALUES (`)
  for (const [index, type] of types.entries()) {
    writer
      .write(index > 0 ? ", '" : "'")
      .entity(type, valueOf(random, type).replaceAll("'", ''))
      .write("'")
  }
  writer.write(');')
}

const CARRIERS = { prose, mail, json, log, table, form, markup, chat, code }
const ORDER = [
  'prose',
  'prose',
  'prose',
  'prose',
  'mail',
  'json',
  'json',
  'log',
  'table',
  'form',
  'markup',
  'chat',
  'code',
]

/** A text that carries a value of each type. */
export function carry(random, types) {
  const carrier = random.pick(ORDER)
  const writer = createWriter()
  CARRIERS[carrier](random, writer, types)
  return { carrier, ...writer.done() }
}

/** A text with nothing in it that is to be found. */
export function carryNothing(random) {
  const count = random.between(2, 5)
  return {
    carrier: 'nothing',
    text: Array.from({ length: count }, () => filler(random)).join(random.pick([' ', '\n'])),
    entities: [],
  }
}
