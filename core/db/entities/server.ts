import { Column, Entity } from 'typeorm'
import type { Exporter, Identity, Protocol, Server, ServerOauth } from '../../domain/nouns.js'
import { PluggedEntity } from './plugged.js'
import { StoredEntity } from './stored.js'

@Entity('servers')
export class ServerEntity extends StoredEntity implements Server {
  @Column({ type: 'text' })
  slug!: string

  @Column({ type: 'text' })
  title!: string

  @Column({ type: 'text', nullable: true })
  url!: string | null

  @Column({ type: 'jsonb', nullable: true })
  command!: readonly string[] | null

  @Column({ type: 'text', nullable: true })
  cwd!: string | null

  @Column({ type: 'text', array: true })
  env!: readonly string[]

  @Column({ type: 'text' })
  auth!: Server['auth']

  @Column({ type: 'text', array: true })
  headers!: readonly string[]

  @Column({ type: 'jsonb', nullable: true })
  oauth!: ServerOauth | null

  @Column({ type: 'text' })
  protocol!: Protocol

  @Column({ type: 'boolean' })
  enabled!: boolean
}

@Entity('identities')
export class IdentityEntity extends StoredEntity implements Identity {
  @Column({ type: 'text' })
  slug!: string

  @Column({ type: 'uuid', name: 'server_id' })
  serverId!: string

  @Column({ type: 'boolean' })
  shared!: boolean

  @Column({ type: 'uuid', name: 'owner_id', nullable: true })
  ownerId!: string | null

  @Column({ type: 'text' })
  kind!: Identity['kind']

  @Column({ type: 'text', array: true })
  headers!: readonly string[]

  @Column({ type: 'boolean' })
  enabled!: boolean

  @Column({ type: 'text' })
  status!: Identity['status']
}

@Entity('exporters')
export class ExporterEntity extends PluggedEntity implements Exporter {}
