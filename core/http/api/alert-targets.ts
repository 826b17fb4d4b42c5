import { z } from 'zod'
import {
  createAlertTarget,
  gatewaySlugs,
  removeAlertTarget,
  updateAlertTarget,
} from '../../configuration/nouns/alert-targets.js'
import { alertTargetShape, slug } from '../../configuration/schemas.js'
import { mustExist } from '../../configuration/work.js'
import type { AlertTarget } from '../../domain/nouns.js'
import { AlertTargetAnswer, AlertTargetTestAnswer } from './answers.js'
import { crud } from './crud.js'
import { NEEDS } from './needs.js'
import { operation } from './operation.js'
import type { ApiOptions, Operation } from './operation.js'

const need = 'manageAlertDelivery'

export function alertTargetOperations(options: ApiOptions): Operation[] {
  const { store, mutations } = options
  const one = (reference: string) => mustExist(store.alertTargets, 'alert target', reference)
  return [
    ...crud({
      name: 'alertTarget',
      path: '/alert-targets',
      see: need,
      needs: NEEDS.alerts,
      answer: AlertTargetAnswer,
      create: z.looseObject({ slug, ...alertTargetShape }),
      patch: z.looseObject({ ...alertTargetShape, plugin: slug.optional() }),
      about: {
        list: 'Lists who is told of alerts.',
        create: 'Adds a receiver of alerts. Keys of its plugin stand beside the others.',
        update: 'Changes what is named; a key of its plugin that is null is taken away.',
        delete: 'Removes a receiver; what waits for it is told to nobody.',
      },
      mutations,
      rows: () => store.alertTargets.all(),
      one: (_, reference) => one(reference),
      show: (target) => show(options, target),
      doCreate: (work, { slug: name, ...input }) => createAlertTarget(work, name, input),
      doUpdate: updateAlertTarget,
      doRemove: removeAlertTarget,
    }),
    operation({
      id: 'testAlertTarget',
      method: 'post',
      path: '/alert-targets/{id}/test',
      summary: 'Sends a sample now, and tells what the receiver said.',
      need,
      output: AlertTargetTestAnswer,
      async handle({ params }) {
        const { id } = await one(params['id'] ?? '')
        const answer = await options.testAlertTarget(id)
        return answer.kind === 'delivered' ? { ok: true } : { ...answer, ok: false }
      },
    }),
  ]
}

async function show(options: ApiOptions, target: AlertTarget): Promise<unknown> {
  const { config, gatewayIds: _, ...plain } = target
  const gateways = await gatewaySlugs(options.store, target)
  return { ...config, ...plain, gateways, delivery: await options.alertProgress(target.id) }
}
