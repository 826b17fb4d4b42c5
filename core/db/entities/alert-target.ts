import { Column, Entity } from 'typeorm'
import type { AlertTarget } from '../../domain/nouns.js'
import { PluggedEntity } from './plugged.js'

@Entity('alert_targets')
export class AlertTargetEntity extends PluggedEntity implements AlertTarget {
  @Column({ type: 'text', name: 'min_severity' })
  minSeverity!: AlertTarget['minSeverity']

  @Column({ type: 'text', array: true })
  types!: AlertTarget['types']

  @Column({ type: 'uuid', array: true, name: 'gateway_ids' })
  gatewayIds!: readonly string[]
}
