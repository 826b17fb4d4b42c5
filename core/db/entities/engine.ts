import { Column, Entity } from 'typeorm'
import type { Engine, EngineTest } from '../../domain/nouns.js'
import { StoredEntity } from './stored.js'

@Entity('engines')
export class EngineEntity extends StoredEntity implements Engine {
  @Column({ type: 'text' })
  slug!: string

  @Column({ type: 'text' })
  kind!: string

  @Column({ type: 'jsonb' })
  config!: Readonly<Record<string, unknown>>

  @Column({ type: 'text', array: true })
  secrets!: readonly string[]

  @Column({ type: 'integer' })
  version!: number

  @Column({ type: 'jsonb', name: 'last_test', nullable: true })
  lastTest!: EngineTest | null
}
