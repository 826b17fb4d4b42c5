import type { EntityManager } from 'typeorm'
import type { QuarantineRepository } from '../../domain/rule-watch.js'
import { storable } from '../../domain/storable.js'
import { isId, moment } from './rows.js'

interface Row {
  readonly gatewayId: string
  readonly ruleId: string
  readonly ruleVersion: number
  readonly sha256: string
  readonly principal: string
  readonly since: string
  readonly reasons: readonly string[]
}

const SELECT = `select json_build_object('gatewayId', gateway_id, 'ruleId', rule_id, 'ruleVersion', rule_version,
  'sha256', artifact_sha256, 'principal', principal, 'since', ${moment('since')}, 'reasons', reasons) as row from rule_quarantines order by since`

export function quarantineRepository(manager: EntityManager): QuarantineRepository {
  return {
    async all() {
      const rows: { row: Row }[] = await manager.query(SELECT)
      return rows.map(({ row }) => ({
        ...row,
        sha256: row.sha256 === '' ? null : row.sha256,
        principal: row.principal === '' ? null : row.principal,
      }))
    },
    async put({ gatewayId, ruleId, ruleVersion, sha256, principal, since, reasons }) {
      await manager.query(
        `delete from rule_quarantines q where (rule_id = $1 and rule_version < $2)
         or not exists (select from rules r where r.id = q.rule_id)`,
        [ruleId, ruleVersion],
      )
      const made: unknown[] = await manager.query(
        `insert into rule_quarantines (gateway_id, rule_id, rule_version, artifact_sha256, principal, since, reasons)
         select id, $2, $3, $4, $5, $6, $7 from gateways where id = $1 on conflict do nothing returning rule_id`,
        [gatewayId, ruleId, ruleVersion, sha256 ?? '', principal ?? '', since, storable(JSON.stringify(reasons))],
      )
      return made.length > 0
    },
    async release(ruleId) {
      if (!isId(ruleId)) return 0
      const [, n]: [unknown[], number] = await manager.query('delete from rule_quarantines where rule_id = $1', [
        ruleId,
      ])
      return n
    },
  }
}
