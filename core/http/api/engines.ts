import type { ArtifactDeclaration } from '@gatehouse/sdk'
import { z } from 'zod'
import type { EngineKind } from '../../domain/engines.js'
import type { Engine } from '../../domain/nouns.js'
import { createEngine, removeEngine, updateEngine, usersOf } from '../../configuration/nouns/engines.js'
import { engineShape, slug } from '../../configuration/schemas.js'
import { mustExist } from '../../configuration/work.js'
import { EngineAnswer, EngineKindAnswer } from './answers.js'
import { crud } from './crud.js'
import { NEEDS } from './needs.js'
import { asJsonSchema } from './openapi.js'
import { operation } from './operation.js'
import type { ApiOptions, Operation } from './operation.js'

/** What rules may look with: the kinds that are loaded, and the named engines of those that need an address or a key. */
export function engineOperations(options: ApiOptions): Operation[] {
  const { store, mutations, engineKinds } = options
  return [
    ...crud({
      name: 'engine',
      path: '/engines',
      see: 'manageIntegrations',
      needs: NEEDS.engines,
      answer: EngineAnswer,
      create: z.looseObject({ slug, ...engineShape }),
      patch: z.looseObject({ kind: slug.optional() }),
      about: {
        list: 'Lists the named engines.',
        create: 'Adds an engine for the rules of every gateway. Keys of its kind stand beside the others.',
        update: 'Changes what is named; a key that is null is taken away. A record of secrets is replaced whole.',
        delete: 'Removes an engine that no rule names.',
      },
      mutations,
      rows: () => store.engines.all(),
      one: (_, reference) => mustExist(store.engines, 'engine', reference),
      show: (engine) => show(options, engine),
      doCreate: (work, { slug: name, ...input }) => createEngine(work, name, input),
      doUpdate: updateEngine,
      doRemove: removeEngine,
    }),
    operation({
      id: 'listEngineKinds',
      method: 'get',
      path: '/engines/kinds',
      summary:
        'Lists the kinds of engines that are loaded: what a rule says, and what a named engine does, as JSON Schemas.',
      need: ['manageIntegrations', 'basicGatewayManagement', 'manageRuleModules'],
      output: z.object({ items: z.array(EngineKindAnswer) }),
      handle: async () => {
        const engines = await store.engines.all()
        return { items: engineKinds().map((kind) => describeKind(kind, engines)) }
      },
    }),
  ]
}

async function show({ store }: ApiOptions, engine: Engine): Promise<unknown> {
  const { config, ...plain } = engine
  const usedBy = usersOf(await store.gateways.all(), engine)
  return {
    ...config,
    ...plain,
    usedBy: usedBy.map(({ gateway, rule }) => ({ gateway: gateway.slug, rule: rule.name })),
  }
}

const ACTIONS = ['block', 'redact', 'replace', 'mask', 'hash', 'detect'] as const

function describeKind({ kind, plugin, declaration, instance }: EngineKind, engines: readonly Engine[]) {
  const { rule, answers, fails, whole = true, named = true, artifact } = declaration
  return {
    kind,
    plugin,
    answers,
    fails,
    whole,
    named,
    actions: answers === 'verdict' ? ['detect'] : ACTIONS,
    rule: asJsonSchema(rule, 'input'),
    artifact: artifact === undefined ? null : describeArtifact(artifact),
    instance: instance && { schema: asJsonSchema(instance.schema, 'input'), secret: instance.secret },
    engines: instance && engines.filter((engine) => engine.kind === kind).map((engine) => engine.slug),
  }
}

const describeArtifact = ({ key, manifest, grants, mostBytes }: ArtifactDeclaration) => ({
  key,
  manifest: asJsonSchema(manifest, 'input'),
  grants: asJsonSchema(grants, 'input'),
  mostBytes,
})
