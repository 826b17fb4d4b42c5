import { Column, Entity, PrimaryColumn } from 'typeorm'
import type { Gateway, Rule, Scheme } from '../../domain/nouns.js'
import type { Provisioning } from '../../domain/provisioning.js'
import { StoredEntity } from './stored.js'

/** Former slugs, teams, assignments and rules lie in tables of their own, written by the repository. */
@Entity('gateways')
export class GatewayEntity extends StoredEntity {
  @Column({ type: 'text' })
  slug!: string

  @Column({ type: 'text' })
  title!: string

  @Column({ type: 'text' })
  prefix!: Gateway['prefix']

  @Column({ type: 'boolean', name: 'legacy_sse' })
  legacySse!: boolean

  @Column({ type: 'text' })
  capture!: Gateway['capture']

  @Column({ type: 'jsonb' })
  pinning!: Gateway['pinning']

  @Column({ type: 'text' })
  poisoning!: Gateway['poisoning']

  @Column({ type: 'boolean' })
  enabled!: boolean
}

@Entity('assignments')
export class AssignmentEntity {
  @PrimaryColumn({ type: 'uuid' })
  id!: string

  @Column({ type: 'uuid', name: 'gateway_id' })
  gatewayId!: string

  @Column({ type: 'uuid', name: 'server_id' })
  serverId!: string

  @Column({ type: 'text', nullable: true })
  prefix!: string | null

  @Column({ type: 'integer' })
  position!: number

  @Column({ type: 'text' })
  scheme!: Scheme['kind']

  @Column({ type: 'uuid', name: 'identity_id', nullable: true })
  identityId!: string | null

  @Column({ type: 'jsonb' })
  provisioning!: Provisioning

  @Column({ type: 'boolean' })
  enabled!: boolean
}

@Entity('rules')
export class RuleEntity extends StoredEntity implements Rule {
  @Column({ type: 'uuid', name: 'gateway_id' })
  gatewayId!: string

  @Column({ type: 'text' })
  name!: string

  @Column({ type: 'integer' })
  position!: number

  @Column({ type: 'integer' })
  version!: number

  @Column({ type: 'text' })
  engine!: string

  @Column({ type: 'text' })
  hook!: Rule['hook']

  @Column({ type: 'text', nullable: true })
  action!: Rule['action']

  @Column({ type: 'text', name: 'on_failure' })
  onFailure!: Rule['onFailure']

  @Column({ type: 'boolean' })
  alerts!: boolean

  @Column({ type: 'boolean' })
  enabled!: boolean

  @Column({ type: 'boolean' })
  shadow!: boolean

  @Column({ type: 'text', array: true })
  servers!: readonly string[]

  @Column({ type: 'text', array: true })
  features!: readonly string[]

  @Column({ type: 'jsonb' })
  config!: Readonly<Record<string, unknown>>
}
