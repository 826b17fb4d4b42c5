import { Column, Entity } from 'typeorm'
import type { Connection, Host, Token } from '../../domain/nouns.js'
import { MOMENT, StoredEntity } from './stored.js'

@Entity('hosts')
export class HostEntity extends StoredEntity implements Host {
  @Column({ type: 'text' })
  slug!: string

  @Column({ type: 'text' })
  title!: string

  @Column({ type: 'text' })
  kind!: Host['kind']

  @Column({ type: 'uuid', name: 'owner_id', nullable: true })
  ownerId!: string | null

  @Column({ type: 'boolean' })
  enabled!: boolean

  /** Of a host that signs in by OAuth; written and asked for where people let it in. */
  @Column({ type: 'text', name: 'client_key', nullable: true, select: false, update: false })
  clientKey?: string | null
}

@Entity('connections')
export class ConnectionEntity extends StoredEntity implements Connection {
  @Column({ type: 'uuid', name: 'host_id' })
  hostId!: string

  @Column({ type: 'uuid', name: 'gateway_id' })
  gatewayId!: string

  @Column({ type: 'uuid', name: 'user_id', nullable: true })
  userId!: string | null

  @Column({ type: 'boolean' })
  enabled!: boolean

  @Column({ type: 'timestamptz', name: 'last_used_at', nullable: true, transformer: MOMENT })
  lastUsedAt!: string | null
}

/** The hash is written once, used to look a token up, and never read out. */
@Entity('tokens')
export class TokenEntity extends StoredEntity implements Token {
  @Column({ type: 'text' })
  kind!: Token['kind']

  @Column({ type: 'text', select: false, update: false })
  hash!: string

  @Column({ type: 'text' })
  label!: string

  @Column({ type: 'text', name: 'last_four' })
  lastFour!: string

  @Column({ type: 'uuid', name: 'connection_id', nullable: true })
  connectionId!: string | null

  @Column({ type: 'uuid', name: 'user_id', nullable: true })
  userId!: string | null

  @Column({ type: 'timestamptz', name: 'expires_at', nullable: true, transformer: MOMENT })
  expiresAt!: string | null

  @Column({ type: 'timestamptz', name: 'revoked_at', nullable: true, transformer: MOMENT })
  revokedAt!: string | null

  @Column({ type: 'timestamptz', name: 'last_used_at', nullable: true, transformer: MOMENT })
  lastUsedAt!: string | null

  @Column({ type: 'boolean' })
  enabled!: boolean
}
