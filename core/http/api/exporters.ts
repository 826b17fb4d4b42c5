import { z } from 'zod'
import { createExporter, removeExporter, updateExporter } from '../../configuration/nouns/exporters.js'
import { exporterShape, slug } from '../../configuration/schemas.js'
import { mustExist } from '../../configuration/work.js'
import type { Exporter } from '../../domain/nouns.js'
import { ExporterAnswer } from './answers.js'
import { crud } from './crud.js'
import { NEEDS } from './needs.js'
import type { ApiOptions, Operation } from './operation.js'

export function exporterOperations(options: ApiOptions): Operation[] {
  const { store, mutations } = options
  return crud({
    name: 'exporter',
    path: '/exporters',
    see: 'manageOpenTelemetryCollector',
    needs: NEEDS.exporters,
    answer: ExporterAnswer,
    create: z.looseObject({ slug, ...exporterShape }),
    patch: z.looseObject({ ...exporterShape, plugin: slug.optional() }),
    about: {
      create: 'Adds a receiver of the record. Keys of its plugin stand beside the others.',
      update: 'Changes an exporter. Headers are replaced whole; a key of its plugin that is null is taken away.',
    },
    mutations,
    rows: () => store.exporters.all(),
    one: (_, reference) => mustExist(store.exporters, 'exporter', reference),
    show: (exporter) => show(options, exporter),
    doCreate: (work, { slug, ...input }) => createExporter(work, slug, input),
    doUpdate: updateExporter,
    doRemove: removeExporter,
  })
}

async function show({ store, exporterStatus }: ApiOptions, exporter: Exporter): Promise<unknown> {
  const { config, secrets: _, ...plain } = exporter
  const fields = Object.keys(await store.secrets.fields({ kind: 'exporter', id: exporter.id }))
  const headers = fields.flatMap((field) => (field.startsWith('headers.') ? [field.slice('headers.'.length)] : []))
  return { ...config, ...plain, headers, delivery: await exporterStatus(exporter.id) }
}
