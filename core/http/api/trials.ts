import { z } from 'zod'
import { findEngine } from '../../domain/engines.js'
import type { FoundEngine, OpenedEngine } from '../../domain/engines.js'
import type { Engine } from '../../domain/nouns.js'
import {
  engineState,
  mergeEngine,
  mustNotTake,
  secretKeys,
  settled,
  unknownKind,
} from '../../configuration/nouns/engines.js'
import { artifactOfRule } from '../../configuration/nouns/artifact-references.js'
import { openEngine } from '../../configuration/nouns/open-engine.js'
import { putTogether } from '../../configuration/nouns/plugin-keys.js'
import { engineConfig } from '../../configuration/nouns/rules.js'
import { invalid, strict } from '../../configuration/problems.js'
import { reference, ruleShape, slug } from '../../configuration/schemas.js'
import { mustExist, mustHold } from '../../configuration/work.js'
import type { Work } from '../../configuration/work.js'
import type { Trial } from '../../rules/trial.js'
import { TrialAnswer } from './answers.js'
import { operation } from './operation.js'
import type { ApiCall, ApiOptions, Operation } from './operation.js'

const keys = z.looseObject({})
const tried = {
  instance: keys.optional().describe('keys of the engine that are not saved yet; of a stored one those that differ'),
  rule: z
    .looseObject({ action: ruleShape.action })
    .optional()
    .describe('what the rule says besides: its action, replacement, and the keys of its engine'),
  leg: z.enum(['request', 'response']).default('response'),
  text: z.string().max(256 * 1024),
}
const Unsaved = strict({
  ...tried,
  kind: slug.optional().describe('a kind, for an engine that is not saved or a kind without engines'),
  engine: reference.optional().describe('a stored engine, by id or name'),
})
const Stored = strict(tried)
type Input = z.output<typeof Unsaved>

/** Tries an engine, saved or not, on a text. Nothing comes into the record. */
export function trialOperations(options: ApiOptions): Operation[] {
  return [
    operation({
      id: 'testEngine',
      method: 'post',
      path: '/engines/test',
      summary:
        'Tries a kind, or an engine as a form has it, on a text. A stored secret is used for its own address alone.',
      need: ['manageIntegrations', 'basicGatewayManagement'],
      input: Unsaved,
      output: TrialAnswer,
      handle: (call) => run(options, call, call.input),
    }),
    operation({
      id: 'testStoredEngine',
      method: 'post',
      path: '/engines/{id}/test',
      summary: 'Tries a stored engine on a text, and keeps how it went.',
      need: 'manageIntegrations',
      input: Stored,
      output: TrialAnswer,
      handle: (call) => run(options, call, { ...call.input, engine: call.params['id'] ?? '' }),
    }),
  ]
}

async function run({ mutations, store, tryRule }: ApiOptions, call: Pick<ApiCall, 'actor'>, input: Input) {
  const { rule = {}, leg, text } = input
  const { engine, stored } = await mutations.rehearse(call.actor, (work) => engineOf(work, input))
  // Who asks without an action wants to see what is found.
  const action = rule.action ?? (engine.kind.declaration.answers === 'spans' ? 'detect' : null)
  const config = engineConfig(rule)
  const artifact = await artifactOfRule(store, engine.kind, config)
  const trial = await tryRule({ engine, artifact, action, config, leg, text })
  if (stored !== null && input.instance === undefined) await store.engines.noteTest(stored.id, noted(trial))
  return trial
}

interface Asked {
  readonly engine: FoundEngine
  readonly stored: Engine | null
}

async function engineOf(work: Work, { kind, engine, instance }: Input): Promise<Asked> {
  if ((kind === undefined) === (engine === undefined))
    throw invalid('kind', 'give a kind or a stored engine, one of them')
  const stored = engine === undefined ? null : await mustExist(work.store.engines, 'engine', engine)
  const opened = stored === null ? await unsaved(work, kind ?? '', instance) : await changed(work, stored, instance)
  if (opened !== null) mustHold(work, 'manageIntegrations')
  const found = findEngine(kind ?? stored?.slug ?? '', work.checks.engines(), opened)
  if ('message' in found) throw invalid(found.path ?? 'engine', found.message)
  return { engine: found, stored }
}

async function unsaved(work: Work, kind: string, instance: object | undefined): Promise<OpenedEngine | null> {
  const kinds = work.checks.engines().map((each) => each.kind)
  if (!kinds.includes(kind)) throw unknownKind(kind, kinds)
  const known = work.checks.engines().find((each) => each.kind === kind)
  if (known?.instance === null && instance === undefined) return null
  // Before anything is asked: whoever may not use an address learns nothing of it.
  mustHold(work, 'manageIntegrations')
  const { plain, sealed } = await settled(work, { ...instance, kind })
  return { id: 'unsaved', name: 'unsaved', kind, config: putTogether(plain, sealed) }
}

async function changed(work: Work, stored: Engine, instance: object | undefined): Promise<OpenedEngine> {
  mustHold(work, 'manageIntegrations')
  if (instance === undefined) return openEngine(work.store, stored)
  const before = await engineState(work, stored)
  const after = mergeEngine(before, instance)
  mustNotTake(before, after, { input: instance, secrets: secretKeys(work, stored) })
  const { plain, sealed } = await settled(work, after)
  return { id: stored.id, name: stored.slug, kind: stored.kind, config: putTogether(plain, sealed) }
}

const noted = ({ verdict, reason, errors, ms }: Trial) => ({
  at: new Date().toISOString(),
  ok: verdict !== 'undecided',
  outcome: verdict === 'undecided' ? (errors[0]?.message ?? reason ?? verdict).slice(0, 200) : verdict,
  ms,
})
