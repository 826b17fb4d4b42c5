import type { PayloadOf } from '@gatehouse/sdk'
import type { Bus, Passed, Registry } from './bus.js'

/** A hook is asked in the way of its kind and no other. */
export function kinds(bus: Bus, request: PayloadOf<'feature.request'>, identify: PayloadOf<'auth.identify'>): void {
  void bus.sequential('feature.request', request)
  void bus.first('auth.identify', identify)

  // @ts-expect-error a sequential hook is not asked for a first answer
  void bus.first('feature.request', request)
  // @ts-expect-error a first hook is not run through
  void bus.sequential('auth.identify', identify)
  // @ts-expect-error a sequential hook is not asked all at once
  void bus.parallel('feature.request', request)
  // @ts-expect-error a hook that is not keyed has no keys
  void bus.keyed('feature.request', 'acme')
  // @ts-expect-error a keyed hook is asked by its key
  void bus.first('engine.evaluate', identify)
  // @ts-expect-error the keys of a hook that has none
  bus.keys('auth.identify')
  // @ts-expect-error there is no such hook
  bus.has('auth.identfy')
  // @ts-expect-error a payload is that of its hook
  void bus.first('auth.identify', request)
}

export function passed(outcome: Passed<PayloadOf<'feature.request'>>): string {
  // @ts-expect-error what was blocked has no payload
  void outcome.payload
  return outcome.blocked ? outcome.reason : outcome.payload.context.method
}

export function registering(registry: Registry): void {
  // @ts-expect-error a keyed hook is served
  registry.add('acme-test', 'idp.logout', () => ({ url: null }), 'normal')
  // @ts-expect-error a first hook is added
  registry.serve('acme-test', 'auth.identify', 'k', () => ({ kind: 'notMine' }), {})
}
