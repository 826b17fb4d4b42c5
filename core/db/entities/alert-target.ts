import { Column, Entity } from 'typeorm'
import type { AlertTarget } from '../../domain/nouns.js'
import { StoredEntity } from './stored.js'

@Entity('alert_targets')
export class AlertTargetEntity extends StoredEntity implements AlertTarget {
  @Column({ type: 'text' })
  slug!: string

  @Column({ type: 'text' })
  plugin!: string

  @Column({ type: 'jsonb' })
  config!: Readonly<Record<string, unknown>>

  @Column({ type: 'text', array: true })
  secrets!: readonly string[]

  @Column({ type: 'text', name: 'min_severity' })
  minSeverity!: AlertTarget['minSeverity']

  @Column({ type: 'text', array: true })
  types!: AlertTarget['types']

  @Column({ type: 'uuid', array: true, name: 'gateway_ids' })
  gatewayIds!: readonly string[]

  @Column({ type: 'boolean' })
  enabled!: boolean
}
