import { z } from 'zod'
import type { AnswerOf, Handler, HooksOf, PayloadOf } from './hooks.js'
import { definePlugin, type PluginContext } from './plugin.js'
import { notMine } from './principal.js'
import { block, modify, never, pass, type Verdict } from './verdict.js'

/**
 * What does not compile, and must not. Each line below an expectation is an error of the compiler; when it is none any more,
 * the expectation itself is one.
 */
export function contract(context: PluginContext<unknown>, prepared: AnswerOf<'engine.prepare'>): void {
  context.on('auth.identify', notMine)
  context.serve('engine.prepare', 'acme', () => prepared)

  // @ts-expect-error a keyed hook is served, not handled
  context.on('engine.prepare', () => prepared)
  // @ts-expect-error a hook that is not keyed is handled, not served
  context.serve('feature.request', 'acme', () => pass())
  // @ts-expect-error there is no such hook
  context.on('feature.requests', () => pass())
  // @ts-expect-error an order is pre or post
  context.on('feature.request', () => pass(), { order: 'first' })

  // @ts-expect-error a handler answers
  context.on('feature.request', () => {})
  // @ts-expect-error with a verdict
  context.on('feature.request', () => true)
  // @ts-expect-error of the four that there are
  context.on('feature.request', () => ({ verdict: 'maybe' }))
  // @ts-expect-error a promise answers with a verdict too
  context.on('feature.request', async () => 'pass')
  // @ts-expect-error a hash is a text
  context.on('auth.identify', () => ({ kind: 'token', hash: 7 }))
  // @ts-expect-error a plugin answers a reference, never a principal
  context.on('auth.identify', () => ({ kind: 'principal', user: 'root' }))
  // @ts-expect-error a notice is not answered
  context.on('alert.raised', () => 'thanks')

  context.on('feature.request', ({ params }) => modify({ params }))
  // @ts-expect-error the context of a call cannot be written
  context.on('feature.request', ({ context: facts }) => modify({ context: facts }))
  // @ts-expect-error a request has no result to write
  context.on('feature.request', () => modify({ result: {} }))
  // @ts-expect-error one field that may not be written spoils the others
  context.on('feature.response', ({ result }) => modify({ result, context: null }))
  // @ts-expect-error a principal cannot be written, only its attributes
  context.on('identity.enrich', ({ principal }) => modify({ principal }))
  // @ts-expect-error attributes are texts
  context.on('identity.enrich', () => modify({ attributes: { age: 7 } }))

  context.on('feature.request', (payload) => {
    // @ts-expect-error a payload is read only
    payload.params = {}
    return pass()
  })
  context.on('feature.response', ({ context: facts }) => {
    // @ts-expect-error and so are the facts of the call
    facts.method = 'tools/list'
    return block('no')
  })
}

export function exhaustive(verdict: Verdict<object>): string {
  switch (verdict.verdict) {
    case 'pass':
      return 'on'
    case 'modify':
      return 'changed'
    case 'block':
      return verdict.reason
    case 'undecided':
      return 'unknown'
    default:
      return never(verdict)
  }
}

export function forgetful(verdict: Verdict<object>): string {
  switch (verdict.verdict) {
    case 'pass':
    case 'modify':
      return 'on'
    case 'block':
      return verdict.reason
    default:
      // @ts-expect-error undecided was forgotten
      return never(verdict)
  }
}

/** The bus makes these two for every `first` hook: each must have them. */
export const everyFirstMayPassAndRefuse: Readonly<
  Record<HooksOf<'first'>, (give: { kind: 'notMine' } | { kind: 'refused'; reason: string }) => unknown>
> = {
  'auth.identify': (give): AnswerOf<'auth.identify'> => give,
  'upstream.credentials': (give): AnswerOf<'upstream.credentials'> => give,
}

export const handler: Handler<'engine.evaluate'> = (payload: PayloadOf<'engine.evaluate'>) =>
  payload.leaves.length === 0 ? pass() : { verdict: 'findings', findings: [] }
// @ts-expect-error a finding has a place
export const placeless: Handler<'engine.evaluate'> = () => ({ verdict: 'findings', findings: [{ type: 'ssn' }] })

export const configured = definePlugin({
  id: 'acme-test',
  sdk: '^0.1.0',
  config: z.strictObject({ level: z.number() }),
  setup(context) {
    context.config.level.toFixed()
    // @ts-expect-error the configuration has the keys of its schema
    context.config.lavel.toFixed()
  },
})
// @ts-expect-error a plugin without a schema for its configuration
export const unconfigured = definePlugin({ id: 'acme-test', sdk: '^0.1.0', setup() {} })
export const stopless = definePlugin({
  id: 'acme-test',
  sdk: '^0.1.0',
  config: z.unknown(),
  // @ts-expect-error how to stop is called stop
  setup: () => ({ close() {} }),
})
