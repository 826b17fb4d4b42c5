import { HOOKS, type HookName } from '@gatehouse/sdk'
import type { HookRows } from './bus.js'
import type { Fault, HookRow, Registration } from './settle.js'

/** The hook table with some rows bent, e.g. a shorter deadline or the other policy. */
export function bend(changes: Partial<Record<HookName, Partial<HookRow>>>): HookRows {
  const names = Object.keys(HOOKS) as HookName[]
  const rows = names.map((name): [HookName, HookRow] => [name, { ...HOOKS[name], ...changes[name] }])
  return Object.fromEntries(rows) as Record<HookName, HookRow>
}

export function registration(hook: HookName, handler: unknown, row: Partial<HookRow> = {}): Registration {
  return { plugin: 'acme-test', hook, row: { ...HOOKS[hook], ...row }, handler, order: 'normal' } as Registration
}

/** An answer that fits the hook; a hook that is new in the table needs a line here. */
export const FITTING: Readonly<Record<HookName, unknown>> = {
  'auth.identify': { kind: 'token', hash: 'a'.repeat(64) },
  'identity.enrich': { verdict: 'modify', patch: { attributes: { team: 'red' } } },
  'upstream.credentials': { kind: 'headers', headers: { 'x-key': '1' }, expiresAt: null },
  'feature.list': { verdict: 'modify', patch: { entries: [{ name: 'a' }] } },
  'feature.request': { verdict: 'modify', patch: { params: { a: 1 } } },
  'feature.response': { verdict: 'modify', patch: { result: { a: 1 } } },
  'engine.prepare': { ok: true, state: {}, passes: 1 },
  'engine.evaluate': { verdict: 'findings', findings: [{ type: 'ssn', leaf: 0, start: 0, end: 3, score: 1 }] },
  'engine.test': { ok: true, evaluation: { verdict: 'pass' } },
  'engine.retire': undefined,
  'idp.begin': { ok: true, url: 'https://idp.example.com/', kept: 's' },
  'idp.complete': {
    ok: true,
    issuer: 'https://idp.example.com',
    subject: '1',
    email: 'a@example.com',
    emailVerified: true,
    name: 'A',
    groups: [],
    claims: {},
    session: null,
    idToken: null,
    expiresAt: null,
  },
  'idp.logout': { url: null },
  'idp.notice': { kind: 'notMine' },
  'idp.describe': {
    ok: true,
    issuer: 'https://idp.example.com',
    jwksUri: null,
    backchannelLogout: false,
    endSession: false,
    notes: [],
  },
  'exporter.deliver': { kind: 'delivered' },
  'alert.raised': undefined,
  'alert.deliver': { kind: 'retry', message: 'later' },
}

/** What no hook takes for an answer. */
export const MALFORMED: readonly unknown[] = [null, 7, 'pass', [], { kind: 'x', verdict: 'x', ok: 'x' }, () => ({})]

export const failuresOf = (faults: readonly Fault[]) => faults.map((fault) => fault.failure)
