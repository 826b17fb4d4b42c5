import { join } from 'node:path'
import { createCompletions } from '../bridge/completions.js'
import { createParkedCalls } from '../bridge/parked-calls.js'
import type { Config } from '../config.js'
import { openEngine } from '../configuration/nouns/open-engine.js'
import { readDefaultRules } from '../configuration/default-rules.js'
import { createSnapshots } from '../configuration/snapshots.js'
import { createBodyKeyRows } from '../db/repositories/body-keys.js'
import { createAlertRepository } from '../db/repositories/alerts.js'
import { createSessionRows } from '../db/repositories/sessions.js'
import { createStore } from '../db/repositories/store.js'
import { createVerdictStore } from '../db/repositories/verdicts.js'
import type { Fault } from '../hooks/settle.js'
import { createSessionLines } from '../http/session-lines.js'
import { createIdentities } from '../identity/identities.js'
import { createOwnIdentities } from '../identity/own-identities.js'
import { createSessions } from '../mcp/sessions.js'
import { createRecorder } from '../record/log.js'
import { foldRefusals } from '../record/refusal-fold.js'
import { createTailer } from '../record/tailer.js'
import { hashKeyOf } from './hash-key.js'
import { registerListening } from './listening.js'
import { type Resources, asPluginLog, openEgress, openPlugins, readOwnFiles } from './resources.js'
import { createBusEngines } from '../rules/bus-engines.js'
import { createAsides } from '../rooms/asides.js'
import { createRules } from '../rules/rules.js'
import { Approvals } from '../upstream/approvals.js'
import { Suspicions } from '../upstream/suspicions.js'
import { createCatalog } from '../upstream/catalog.js'
import { createErrands } from '../upstream/errands.js'
import { createOffers } from '../upstream/offers.js'
import { createServerInfos } from '../upstream/server-infos.js'
import { isUpdate } from '../upstream/subscriptions.js'
import { createBodySealer } from '../vault/body-sealer.js'
import { createUpstreams } from '../upstream/upstreams.js'
import type { Verdict } from '../upstream/verdicts.js'
import { createAlerting, faultAlert, overflowAlert } from './alerts.js'
import { createReplays, openReceipts } from './backtest.js'
import { joinCluster } from './cluster.js'
import { createConfiguration } from './configuration.js'
import { createExports } from './exports.js'
import { createFeatureAlerts } from './feature-alerts.js'
import { type House, PARTS, type Surroundings, VERSION } from './house.js'
import { createQuarantines } from './quarantines.js'
import { createRuleStats } from './rule-stats.js'
import { createSharedNames, createTroubles } from './troubles.js'

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
  house.make(PARTS.replays, (h) => createReplays(h, around))
  house.make(PARTS.receipts, (h) => openReceipts(h, around))
  house.make(PARTS.bodySealer, () => createBodySealer(createBodyKeyRows(dataSource), vault))
  house.make(PARTS.alerts, () => createAlertRepository(dataSource))
  await joinCluster(house, resources, { config, log })
  const alerting = createAlerting(house, log)
  house.put(PARTS.alerting, alerting)
  house.put(PARTS.raise, (alert) => void alerting.raise(alert))
  house.make(PARTS.own, (h) => createOwnIdentities({ store: h.get(PARTS.store), epochs: h.get(PARTS.epochs) }))
  house.make(PARTS.identities, (h) =>
    createIdentities({ store: h.get(PARTS.store), epochs: h.get(PARTS.epochs), own: h.get(PARTS.own) }),
  )
  const hashKey = await hashKeyOf(house.get(PARTS.store), dataSource)
  house.make(PARTS.engines, (h) => createBusEngines(h.get(PARTS.host).bus))
  house.make(PARTS.rules, (h) =>
    createRules({
      engines: h.get(PARTS.engines),
      hashKey,
      engineLimit: () => h.get(PARTS.snapshots).current().settings.limits.engine,
      onUndecided: (rule, why) => log.warn({ rule: rule.id, engine: rule.engine, why }, 'a rule could not decide'),
      onQuarantined: h.get(PARTS.quarantines).enter,
      tallies: h.get(PARTS.ruleStats).tallies,
    }),
  )
  house.make(PARTS.quarantines, (h) => {
    const { quarantines: store } = h.get(PARTS.store)
    const { raise, resolve } = alerting
    return createQuarantines({ store, bump: h.get(PARTS.epochs).bump, raise, resolve, log: logger })
  })
  house.make(PARTS.ruleStats, (h) => createRuleStats({ store: h.get(PARTS.store).ruleStats, log: logger }))
  house.make(PARTS.snapshots, (h) =>
    createSnapshots({
      store: h.get(PARTS.store),
      epochs: h.get(PARTS.epochs),
      log: logger,
      openEngine: (engine) => openEngine(h.get(PARTS.store), engine),
      engineKinds: h.get(PARTS.engines).kinds,
      prepareRule: h.get(PARTS.rules).prepareRule,
      retireRule: h.get(PARTS.rules).retireRule,
      follow: () => h.get(PARTS.approvals).follow(),
    }),
  )
  const limits = () => house.get(PARTS.snapshots).current().settings.limits
  house.make(PARTS.sessions, () =>
    createSessions(createSessionRows(dataSource), limits, { others: house.get(PARTS.replicas) }),
  )
  house.make(PARTS.parked, () => createParkedCalls(() => limits().parkedCalls))
  house.make(PARTS.errands, (h) =>
    createErrands({ current: h.get(PARTS.snapshots).current, credentials: h.get(PARTS.credentials) }),
  )
  house.make(PARTS.completions, () => createCompletions())
  house.make(PARTS.asides, (h) =>
    createAsides({
      rules: h.get(PARTS.rules),
      raise: h.get(PARTS.raise),
      gateway: (id) => h.get(PARTS.snapshots).current().gateways.get(id),
      lines: h.get(PARTS.lines),
      levelOf: (sessionId) => h.get(PARTS.listeners).levelOf(sessionId),
      completions: h.get(PARTS.completions),
    }),
  )
  house.make(PARTS.lines, () =>
    createSessionLines({
      replica: house.get(PARTS.replicas).id,
      onDropped: (notes) => log.debug({ notes }, 'a slow client has missed notes'),
    }),
  )
  house.make(PARTS.troubles, (h) => {
    const holder = h.get(PARTS.replicas).id
    return createTroubles({
      raise: (alert) => alerting.raise(alert, holder),
      resolve: (type, key) => alerting.resolve(type, key, holder),
      forsaken: h.get(PARTS.alerts).forsaken,
      sharedName: createSharedNames(h),
    })
  })
  house.make(PARTS.upstreams, (h) =>
    createUpstreams({
      egress: h.get(PARTS.egress),
      limits,
      clientInfo: { name: 'gatehouse', version: VERSION },
      childEnv: around.env,
      log: logger,
      verdicts: createVerdictStore<Verdict>(dataSource),
      onSessionQuestion: (...asked) => h.get(PARTS.asides).question(...asked),
      onServerNote: (target, note, party) => {
        // Subscribed is on the shared connection alone: elsewhere a server tells what nobody asked.
        if (isUpdate(note)) return void (party === null && h.get(PARTS.subscriptions).note(target, note))
        // What cannot be passed on is lost, as a note may be.
        void h
          .get(PARTS.asides)
          .note(target, note, party)
          .catch((thrown: unknown) => log.debug({ err: thrown }, 'a note was lost'))
      },
      onTrouble: h.get(PARTS.troubles).tell,
    }),
  )
  house.make(PARTS.infos, (h) =>
    createServerInfos({ upstreams: h.get(PARTS.upstreams), saved: h.get(PARTS.store).infos, log: logger }),
  )
  house.make(PARTS.offers, (h) => createOffers(h.get(PARTS.infos)))
  house.make(PARTS.approvals, (h) => {
    const { features } = h.get(PARTS.store)
    const onSighting = createFeatureAlerts({ features, raise: h.get(PARTS.raise), log: logger })
    return new Approvals({ repository: features, onSighting, log: logger })
  })
  house.make(PARTS.suspicions, (h) => {
    const { features } = h.get(PARTS.store)
    const onSighting = createFeatureAlerts({ features, raise: h.get(PARTS.raise), log: logger })
    return new Suspicions({ repository: features, approvals: h.get(PARTS.approvals), onSighting, log: logger })
  })
  house.make(PARTS.catalog, (h) => {
    const store = h.get(PARTS.store)
    return createCatalog({
      upstreams: h.get(PARTS.upstreams),
      infos: h.get(PARTS.infos),
      names: store.names,
      approvals: h.get(PARTS.approvals),
      suspicions: h.get(PARTS.suspicions),
      lists: store.lists,
      limits,
      log: logger,
    })
  })
  house.make(PARTS.refusals, (h) => {
    const recorder = h.get(PARTS.recorder)
    const [door, pages] = [foldRefusals(recorder, { byMethod: false }), foldRefusals(recorder, { byMethod: true })]
    return { door, pages, stop: async () => void (await Promise.all([door.stop(), pages.stop()])) }
  })
  registerListening(house, logger)
  house.make(PARTS.tailer, (h) =>
    createTailer({ log: h.get(PARTS.recorder), database: recordPool, alert: h.get(PARTS.raise), logger }),
  )
  house.make(PARTS.exporters, (h) => createExports(h, logger))
  house.make(PARTS.configuration, (h) => createConfiguration(h, config, logger))
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
  const sources = await readOwnFiles(config, cwd)
  house.put(PARTS.defaultRules, readDefaultRules(sources))
  const egress = house.get(PARTS.egress)
  house.put(PARTS.host, await openPlugins({ sources, log, dataSource, egress, onFault }))
}
