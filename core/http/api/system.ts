import { z } from 'zod'
import { exportFile } from '../../configuration/export.js'
import { readFile } from '../../configuration/file.js'
import { modulesSent } from '../../configuration/module-files.js'
import { updateSettings } from '../../configuration/nouns/settings.js'
import { strict } from '../../configuration/problems.js'
import { sourceOf } from '../../configuration/references.js'
import { bytes, Settings } from '../../configuration/schemas.js'
import { CapabilityAnswer, SettingsAnswer, StepsAnswer } from './answers.js'
import { CAPABILITY_TABLE } from '../../domain/capabilities.js'
import { checkSteps, NEEDS } from './needs.js'
import { operation } from './operation.js'
import type { ApiCall, ApiOptions, Operation } from './operation.js'

const need = 'manageWorkspaceSettings'
/** A file, and the modules that it names. */
const MOST_FILE = 24 * 1024 * 1024
const FileInput = strict({
  text: z.string().max(1024 * 1024),
  name: z
    .string()
    .max(200)
    .regex(/^[^\r\n]+$/)
    .default('file.yaml')
    .describe('what errors call the file'),
  secrets: z
    .record(z.string(), z.string())
    .default({})
    .describe('what the references lead to, e.g. {"env:KEY": "…"}: nothing is looked up on the gateway’s machine'),
  modules: z
    .record(z.string().max(1_000), bytes)
    .default({})
    .describe('files that the YAML file names, with what stands beside them, by path; in base64'),
  prune: z.boolean().default(false).describe('removes what an earlier file made and this one does not name'),
})

/** Settings, the file, and what concerns the gateway as a whole. */
export function systemOperations(options: ApiOptions): Operation[] {
  const { store, mutations, files, rotateKeys, plugins, version } = options
  const run = async (how: 'plan' | 'apply', { actor, caller, input }: ApiCall<z.output<typeof FileInput>>) => {
    let warnings: readonly string[] = []
    const steps = await files[how]({
      ...input,
      onWarnings: (lines) => (warnings = lines),
      actor: { ...actor, managedBy: 'file' },
      source: sourceOf(input.secrets),
      modules: modulesSent(input.modules),
      allow: (planned) => checkSteps(caller.capabilities, planned),
    })
    const { content } = readFile(input.text, input.name)
    const atStart = (['plugins', 'defaultRules'] as const).filter((key) => content[key] !== undefined)
    const notes = atStart.map((key) => `${key}: is read at start only, from the file that GATEHOUSE_CONFIG names`)
    return { steps, notes, warnings }
  }
  return [
    operation({
      id: 'getSettings',
      method: 'get',
      path: '/settings',
      summary: 'Shows the settings.',
      need: [need, 'manageRuleModules'],
      output: SettingsAnswer,
      handle: () => store.settings.get(),
    }),
    operation({
      id: 'updateSettings',
      method: 'patch',
      path: '/settings',
      summary: 'Changes what is named and leaves the rest.',
      need: NEEDS.settings.update,
      fields: NEEDS.settings.fields,
      input: Settings,
      output: SettingsAnswer,
      handle: ({ actor, input }) => mutations.change(actor, (work) => updateSettings(work, input)),
    }),
    operation({
      id: 'planFile',
      method: 'post',
      path: '/plan',
      summary: 'Tells what applying a YAML file would do, and does nothing.',
      need,
      input: FileInput,
      mostBytes: MOST_FILE,
      output: StepsAnswer,
      handle: (call) => run('plan', call),
    }),
    operation({
      id: 'applyFile',
      method: 'post',
      path: '/apply',
      summary: 'Applies a YAML file, all or nothing. Each change needs its own capability too.',
      need,
      input: FileInput,
      mostBytes: MOST_FILE,
      output: StepsAnswer,
      handle: (call) => run('apply', call),
    }),
    operation({
      id: 'exportFile',
      method: 'get',
      path: '/export',
      summary: 'Writes what is there as a YAML file, with references in the place of secrets.',
      need,
      output: z.object({ text: z.string() }),
      handle: async () => ({ text: await exportFile(store) }),
    }),
    operation({
      id: 'whoami',
      method: 'get',
      path: '/whoami',
      summary: 'Whose token this is, and what it may do.',
      need: null,
      output: z.object({
        user: z.object({ id: z.string(), email: z.string(), name: z.string() }),
        role: z.string(),
        capabilities: z.array(z.string()),
        version: z.string(),
      }),
      handle: async ({ caller }) => ({
        user: caller,
        role: caller.role,
        capabilities: [...caller.capabilities],
        version,
      }),
    }),
    operation({
      id: 'listCapabilities',
      method: 'get',
      path: '/capabilities',
      summary: 'Lists everything that a role can grant.',
      need: null,
      output: z.object({ items: z.array(CapabilityAnswer) }),
      handle: async () => ({ items: CAPABILITY_TABLE }),
    }),
    operation({
      id: 'rotateKeys',
      method: 'post',
      path: '/keys/rotate',
      summary: 'Seals every stored secret anew with the newest master key.',
      need,
      output: z.object({
        seen: z.int(),
        rotated: z.int(),
        current: z.int(),
        changed: z.int(),
        failed: z.int(),
      }),
      handle: () => rotateKeys(),
    }),
    operation({
      id: 'listPlugins',
      method: 'get',
      path: '/plugins',
      summary: 'Lists the plugins that run, in their order.',
      need: 'manageIntegrations',
      output: z.object({ items: z.array(z.object({ id: z.string() })) }),
      handle: async () => ({ items: plugins().map((id) => ({ id })) }),
    }),
  ]
}
