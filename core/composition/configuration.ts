import type { PluginLog } from '@gatehouse/sdk'
import { parseStrictly } from '@gatehouse/sdk'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { withAdvisoryLock } from '../cluster/locks.js'
import type { Config } from '../config.js'
import { createFileOperations } from '../configuration/apply.js'
import type { KeeperOptions } from '../configuration/keeper.js'
import { createMutations } from '../configuration/mutations.js'
import type { DeclaredSecrets } from '../configuration/references.js'
import type { Checks, PluginChecks } from '../configuration/work.js'
import { guardAll } from '../db/repositories/failures.js'
import { createSealedSource } from '../db/repositories/sealed.js'
import type { Bus } from '../hooks/bus.js'
import type { ApiOptions } from '../http/api/operation.js'
import { createLogReader } from '../record/query.js'
import { createOnDecided } from './feature-alerts.js'
import { createUploadCheck } from '../rules/uploads.js'
import { createPreview } from './preview.js'
import { detectOf } from './upstream-auth.js'
import { replaysOf } from './backtest.js'
import { quarantineOf } from './quarantines.js'
import { asPluginLog } from './resources.js'
import { rotate } from '../vault/rotate.js'
import { type Configuration, type House, PARTS, type Surroundings, VERSION } from './house.js'

export function createConfiguration(house: House, config: Config, log: PluginLog): Configuration {
  const { dataSource } = house.get(PARTS.resources)
  const store = house.get(PARTS.store)
  const { bus } = house.get(PARTS.host)
  const engines = house.get(PARTS.engines)
  const [exporters, idps] = [pluginChecks(bus, 'exporter.deliver'), pluginChecks(bus, 'idp.begin')]
  const checks: Checks = {
    engines: engines.kinds,
    checkRule: house.get(PARTS.rules).checkRule,
    checkUpload: createUploadCheck(engines),
    defaultRules: {
      rules: house.get(PARTS.defaultRules),
      onSkipped: (rule, why) => log.warn({ rule, why }, 'a default rule was left out of a new gateway'),
    },
    exporters: exporters.loaded,
    exporterSecrets: exporters.secrets,
    checkExporter: exporters.check,
    idps: idps.loaded,
    idpSecrets: idps.secrets,
    checkIdp: idps.check,
    alertTargets: pluginChecks(bus, 'alert.deliver'),
    checkUrl: house.get(PARTS.egress).check,
    stdio: config.stdio,
  }
  const mutations = createMutations({
    store,
    checks,
    lock: (work) => withAdvisoryLock(dataSource, 'configuration', work),
    // A change holds here when it is answered, and at the other replicas within a quarter of a second.
    onChanged: async () => {
      await house.get(PARTS.epochs).check()
      await house.get(PARTS.snapshots).rebuild()
      await house.get(PARTS.exporters).refresh()
      house.get(PARTS.deliveries).wake()
    },
  })
  return { mutations, checks, files: createFileOperations(mutations, declaredSecrets(checks), checks.engines) }
}

function declaredSecrets({ engines, idpSecrets, alertTargets }: Checks): DeclaredSecrets {
  return (noun, { kind, plugin }) => {
    switch (noun) {
      case 'idps':
        return idpSecrets(String(plugin))
      case 'alerts':
        return alertTargets.secrets(String(plugin))
      case 'engines':
        return engines().find((each) => each.kind === kind)?.instance?.secret ?? []
    }
  }
}

function pluginChecks(bus: Bus, hook: 'exporter.deliver' | 'idp.begin' | 'alert.deliver'): PluginChecks {
  return {
    loaded: () => bus.keys(hook),
    secrets: (plugin) => bus.keyed(hook, plugin)?.options.secret ?? [],
    check: async (plugin, given) => {
      const schema = bus.keyed(hook, plugin)?.options.config
      const parsed = schema === undefined ? null : parseStrictly(schema, given)
      return parsed === null || parsed.ok ? [] : [{ message: parsed.problem }]
    },
  }
}

export function keeperOptions(house: House, path: string, around: Surroundings): KeeperOptions {
  return {
    path: resolve(around.cwd, path),
    files: house.get(PARTS.configuration).files,
    source: { env: around.env, readFile: (file) => readFile(resolve(around.cwd, file), 'utf8') },
    log: asPluginLog(around.log),
  }
}

export function apiOptions(house: House, rest: Pick<ApiOptions, 'url' | 'turnedAway' | 'onBroken'>): ApiOptions {
  const { dataSource, recordPool, vault } = house.get(PARTS.resources)
  const { mutations, files } = house.get(PARTS.configuration)
  return {
    mutations,
    files,
    store: house.get(PARTS.store),
    version: VERSION,
    ...rest,
    resolveAdmin: house.get(PARTS.identities).resolveAdmin,
    browser: house.get(PARTS.browser),
    sessions: house.get(PARTS.consoleSessions),
    invitations: house.get(PARTS.invitations),
    setupLinks: house.get(PARTS.setupLinks),
    logs: guardAll(createLogReader(recordPool)),
    describeIdp: house.get(PARTS.idpAsks).describe,
    replays: replaysOf(house),
    receipts: house.get(PARTS.receipts),
    detect: detectOf(house, rest.url),
    exporterStatus: house.get(PARTS.exporters).status,
    alerts: house.get(PARTS.alerts),
    alertProgress: house.get(PARTS.alertQueue).progress,
    testAlertTarget: house.get(PARTS.deliveries).test,
    oauth: { clients: house.get(PARTS.oauthClients), turnKeys: house.get(PARTS.oauthServer).turnKeys },
    preview: createPreview(house),
    onDecided: createOnDecided(house),
    rotateKeys: () => rotate({ vault, source: createSealedSource(dataSource.manager) }),
    tryRule: house.get(PARTS.rules).tryRule,
    engineKinds: house.get(PARTS.engines).kinds,
    ruleWatch: {
      quarantineOf: (rule) => quarantineOf(house.get(PARTS.snapshots).current(), rule),
      flush: house.get(PARTS.ruleStats).flush,
    },
    plugins: () => house.get(PARTS.host).plugins,
  }
}
