import type { JsonObject } from '@gatehouse/sdk'
import { Column, Entity } from 'typeorm'
import type { Canary, StoredArtifact } from '../../domain/artifacts.js'
import { StoredEntity } from './stored.js'

@Entity('artifacts')
export class ArtifactEntity extends StoredEntity implements StoredArtifact {
  @Column({ type: 'text' })
  slug!: string

  @Column({ type: 'text' })
  engine!: string

  @Column({ type: 'integer' })
  current!: number

  @Column({ type: 'integer', nullable: true })
  previous!: number | null

  @Column({ type: 'integer' })
  latest!: number

  @Column({ type: 'jsonb', nullable: true })
  canary!: Canary | null

  @Column({ type: 'jsonb' })
  grants!: JsonObject
}
