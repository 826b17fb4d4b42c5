import { join } from 'node:path'
import type { Config } from '../config.js'
import { createSnapshots } from '../configuration/snapshots.js'
import { createAlertRepository } from '../db/repositories/alerts.js'
import { createSessionRows } from '../db/repositories/sessions.js'
import { createStore } from '../db/repositories/store.js'
import { createVerdictStore } from '../db/repositories/verdicts.js'
import type { Fault } from '../hooks/settle.js'
import { createSessionStreams } from '../http/session-streams.js'
import { createIdentities } from '../identity/identities.js'
import { createSessions } from '../mcp/sessions.js'
import { createRecorder } from '../record/log.js'
import { createTailer } from '../record/tailer.js'
import { hashKeyOf } from './hash-key.js'
import { type Resources, asPluginLog, openEgress, openPlugins } from './resources.js'
import { createBusEngines } from '../rules/bus-engines.js'
import { createRules } from '../rules/rules.js'
import { createCatalog } from '../upstream/catalog.js'
import { createUpstreams } from '../upstream/upstreams.js'
import type { Verdict } from '../upstream/verdicts.js'
import { createRaise, faultAlert, overflowAlert } from './alerts.js'
import { joinCluster } from './cluster.js'
import { createConfiguration } from './configuration.js'
import { createExports } from './exports.js'
import { type House, PARTS, type Surroundings, VERSION } from './house.js'

/** Opens what takes time: plugins and the record; registers everything else to be made when it is asked for. */
export async function openParts(
  house: House,
  resources: Resources,
  config: Config,
  around: Surroundings,
): Promise<void> {
  const { log } = around
  const { dataSource, recordPool, vault, home } = resources
  const logger = asPluginLog(log)
  house.make(PARTS.egress, () => openEgress(config))
  house.make(PARTS.store, () => createStore({ dataSource, vault }))
  house.make(PARTS.alerts, () => createAlertRepository(dataSource))
  await joinCluster(house, resources, { config, log })
  house.make(PARTS.raise, (h) => createRaise(h, log))
  house.make(PARTS.identities, (h) => createIdentities({ store: h.get(PARTS.store), epochs: h.get(PARTS.epochs) }))
  const hashKey = await hashKeyOf(house.get(PARTS.store), dataSource)
  house.make(PARTS.rules, (h) =>
    createRules({
      engines: createBusEngines(h.get(PARTS.host).bus),
      hashKey,
      onUndecided: (rule, why) => log.warn({ rule: rule.id, engine: rule.engine, why }, 'a rule could not decide'),
    }),
  )
  house.make(PARTS.snapshots, (h) =>
    createSnapshots({
      store: h.get(PARTS.store),
      epochs: h.get(PARTS.epochs),
      log: logger,
      prepareRule: h.get(PARTS.rules).prepareRule,
      retireRule: h.get(PARTS.rules).retireRule,
    }),
  )
  const limits = () => house.get(PARTS.snapshots).current().settings.limits
  house.make(PARTS.sessions, () =>
    createSessions(createSessionRows(dataSource), limits, { others: house.get(PARTS.replicas) }),
  )
  house.make(PARTS.streams, () => createSessionStreams())
  house.make(PARTS.upstreams, (h) =>
    createUpstreams({
      egress: h.get(PARTS.egress),
      limits,
      clientInfo: { name: 'gatehouse', version: VERSION },
      childEnv: around.env,
      log: logger,
      verdicts: createVerdictStore<Verdict>(dataSource),
    }),
  )
  house.make(PARTS.catalog, (h) => {
    const store = h.get(PARTS.store)
    return createCatalog({
      upstreams: h.get(PARTS.upstreams),
      names: store.names,
      lists: store.lists,
      limits,
      log: logger,
    })
  })
  house.make(PARTS.tailer, (h) =>
    createTailer({ log: h.get(PARTS.recorder), database: recordPool, alert: h.get(PARTS.raise), logger }),
  )
  house.make(PARTS.exporters, (h) => createExports(h, logger))
  house.make(PARTS.configuration, (h) => createConfiguration(h, config))
  house.put(
    PARTS.recorder,
    await createRecorder({
      dir: join(home, 'record'),
      mode: () => house.get(PARTS.snapshots).current().settings.audit,
      onOverflow: (facts) => {
        log.error(facts, 'the record overflows')
        house.get(PARTS.raise)(overflowAlert(facts))
      },
    }),
  )
  const onFault = (fault: Fault) => {
    log.error({ ...fault }, 'a plugin failed')
    house.get(PARTS.raise)(faultAlert(fault))
  }
  const { cwd } = around
  const egress = house.get(PARTS.egress)
  house.put(PARTS.host, await openPlugins({ config, cwd, log, dataSource, egress, onFault }))
}
