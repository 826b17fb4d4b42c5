import { schedule } from 'node-cron'
import { ifUnlocked } from '../cluster/locks.js'
import { createRetention } from '../record/retention.js'
import { sweepPluginStore } from '../db/repositories/plugin-store.js'
import { drain } from './drain.js'
import { type House, PARTS, type Surroundings } from './house.js'
import { asPluginLog } from './resources.js'

/** What runs beside the calls: the record on its way to the database and out of it, and what is swept now and then. */
export function createChores(house: House, log: Surroundings['log'], onBroken: (thrown: unknown) => void) {
  const { dataSource, recordPool } = house.get(PARTS.resources)
  const retention = createRetention({
    database: recordPool,
    days: () => house.get(PARTS.snapshots).current().settings.retentionDays,
    logger: asPluginLog(log),
  })
  const forget = (limit: number) =>
    house.get(PARTS.alerts).forget(house.get(PARTS.snapshots).current().settings.retentionDays.alerts, limit)
  const maintain = async () => {
    await retention.maintain()
    await house.get(PARTS.store).ruleStats.forget(house.get(PARTS.snapshots).current().settings.retentionDays.logs)
    await drain(forget)
  }
  const nightly = () => void ifUnlocked(dataSource, 'retention', maintain).catch(onBroken)
  const often = () => void sweep(house).catch(onBroken)
  const tasks: { stop(): unknown }[] = []
  return {
    async start(): Promise<void> {
      await retention.maintain()
      await house.get(PARTS.bodySealer).ready()
      house.get(PARTS.tailer).start()
      house.get(PARTS.exporters).start()
      tasks.push(schedule('17 3 * * *', nightly), schedule('*/5 * * * *', often))
    },
    stop: () => Promise.all(tasks.map((task) => task.stop())),
  }
}

/** What has ended by itself is deleted, a bounded number at a time, until nothing is left. */
async function sweep(house: House): Promise<void> {
  await house.get(PARTS.bodySealer).ready()
  await house.get(PARTS.sessions).sweep()
  await house.get(PARTS.consoleSessions).sweep()
  await drain((limit) => house.get(PARTS.replays).sweep(limit))
  await drain(house.get(PARTS.oneTime).sweep)
  await drain((limit) => sweepPluginStore(house.get(PARTS.resources).dataSource, limit))
  await house.get(PARTS.oauthSweep)()
  await house.get(PARTS.alertQueue).dropDisabled()
  await house.get(PARTS.troubles).recheck()
}
