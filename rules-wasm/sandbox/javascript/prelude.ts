/**
 * The first script in an interpreter: takes away what could make a run depend on anything but its input, gives `gatehouse`, and answers
 * `runner`, which makes a runner of a rule's `evaluate`, and `describe`. It keeps what it needs to itself, before a rule can change it; but nothing rests
 * on that, since it can do no more than the rule: limits are the host's.
 *
 * A runner answers `=` and JSON, or `!`, the kind of a failure, a space, and words for people; so does `describe`.
 */
export const PRELUDE = `'use strict';
(function (host, capabilities) {
  const { parse, stringify } = JSON
  const granted = parse(capabilities)
  const { apply, getPrototypeOf } = Reflect
  const { defineProperty, freeze } = Object
  const { slice, charCodeAt, indexOf, trim } = String.prototype
  const { includes } = Array.prototype
  const { imul } = Math
  const OfPromise = Promise
  const OfInternal = InternalError
  const TypeProblem = TypeError

  function ask(question) {
    const answer = host(stringify(question))
    return answer === undefined ? null : parse(answer)
  }

  const has = (capability) => apply(includes, granted, [capability])
  const own = { __proto__: null }
  if (has('config')) own.config = (key) => ask(['config', '' + key])
  if (has('log')) {
    const levels = { __proto__: null, debug: 0, info: 1, warn: 2, error: 3 }
    const log = (level, text) => {
      ask(['log', levels['' + level] ?? 1, apply(slice, '' + text, [0, 1024])])
    }
    own.log = log
    const told = (value) => {
      if (typeof value !== 'object' || value === null) return String(value)
      try { return stringify(value) } catch { return 'something that cannot be told' }
    }
    const say = (level) => (...values) => {
      let line = ''
      for (let n = 0; n < values.length; n++) line += (n === 0 ? '' : ' ') + told(values[n])
      log(level, line)
    }
    const names = { debug: say('debug'), log: say('info'), info: say('info'), warn: say('warn'), error: say('error') }
    defineProperty(globalThis, 'console', { value: freeze(names) })
  }
  if (has('kv'))
    own.kv = freeze({
      __proto__: null,
      get: (key) => ask(['kv.get', '' + key]),
      set: (key, value, ttlSeconds = 0) => ask(['kv.set', '' + key, '' + value, ttlSeconds >>> 0]),
      delete: (key) => { ask(['kv.delete', '' + key]) },
    })
  if (has('counters')) own.counter = (name, n = 1) => { ask(['counter', '' + name, n | 0]) }
  if (has('regex'))
    own.regex = (id, text, from = 0) => {
      const found = ask(['regex', '' + id, '' + text, from >>> 0])
      if (found === false) throw new TypeProblem('the manifest has no pattern ' + id)
      return found
    }
  defineProperty(globalThis, 'gatehouse', { value: freeze(own) })

  const refuse = function () { throw new TypeProblem('code cannot be made out of a text') }
  for (const made of [function () {}, function* () {}, async function () {}, async function* () {}])
    defineProperty(getPrototypeOf(made), 'constructor', { value: refuse })
  refuse.prototype = getPrototypeOf(refuse)
  defineProperty(globalThis, 'Function', { value: refuse, writable: true, configurable: true })
  for (const name of ['eval', 'Atomics', 'SharedArrayBuffer', 'WeakRef', 'FinalizationRegistry'])
    delete globalThis[name]

  let state = 0
  defineProperty(Math, 'random', {
    value: function random() {
      state = (state + 0x6d2b79f5) | 0
      let mixed = imul(state ^ (state >>> 15), 1 | state)
      mixed = (mixed + imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
    },
  })
  function begin(call) {
    ask(['time', +call.time])
    const id = '' + call.id
    state = 0x811c9dc5
    for (let n = 0; n < id.length; n++) state = imul(state ^ apply(charCodeAt, id, [n]), 0x01000193)
  }

  function describe(error) {
    try {
      let words
      if (error instanceof OfInternal) {
        if (error.message === 'out of memory') return '!memory ran out of memory'
        if (error.message === 'stack overflow') return '!stack called itself too deep'
      }
      if (typeof error !== 'object' || error === null) words = 'threw ' + String(error)
      else words = 'threw ' + error.name + ': ' + error.message + placeOf(error)
      return '!error ' + apply(slice, words, [0, 300])
    } catch {
      return '!error threw something that cannot be told'
    }
  }
  function placeOf({ stack }) {
    if (typeof stack !== 'string') return ''
    const end = apply(indexOf, stack, ['\\n'])
    return ' ' + apply(trim, apply(slice, stack, [0, end < 0 ? 100 : end]), [])
  }

  const runner = (evaluate) =>
    function run(text) {
      try {
        const input = parse(text)
        begin(input.call)
        const answer = evaluate(input)
        if (answer instanceof OfPromise) return '!answer answered a promise: evaluate must not be async'
        const told = stringify(answer)
        if (told === undefined) return '!answer answered nothing'
        if (told === '{}' || told[0] !== '{') return '=' + told
        return '={"version":1,' + apply(slice, told, [1])
      } catch (error) {
        return describe(error)
      }
    }
  return { runner, describe }
})`
