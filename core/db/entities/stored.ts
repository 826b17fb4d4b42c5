import { Column, PrimaryColumn } from 'typeorm'
import type { ValueTransformer } from 'typeorm'
import type { ManagedBy } from '../../domain/nouns.js'

/** Moments are ISO 8601 text in the nouns and `timestamptz` in the database. */
export const MOMENT: ValueTransformer = {
  from: (moment: Date | null) => moment?.toISOString() ?? null,
  to: (moment: unknown) => moment,
}

/** The columns of every noun. Fields are named and typed as in the noun, so that a row copied is the noun. */
export abstract class StoredEntity {
  @PrimaryColumn({ type: 'uuid' })
  id!: string

  @Column({ type: 'text', name: 'managed_by' })
  managedBy!: ManagedBy

  @Column({
    type: 'timestamptz',
    name: 'created_at',
    transformer: MOMENT,
    default: () => 'clock_timestamp()',
    update: false,
  })
  createdAt!: string

  @Column({ type: 'timestamptz', name: 'updated_at', transformer: MOMENT, default: () => 'clock_timestamp()' })
  updatedAt!: string
}
