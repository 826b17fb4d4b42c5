import { Column } from 'typeorm'
import { StoredEntity } from './stored.js'

/** The columns of every noun that a plugin serves by its name: its configuration, and which keys of it are sealed elsewhere. */
export abstract class PluggedEntity extends StoredEntity {
  @Column({ type: 'text' })
  slug!: string

  @Column({ type: 'text' })
  plugin!: string

  @Column({ type: 'jsonb' })
  config!: Readonly<Record<string, unknown>>

  @Column({ type: 'text', array: true })
  secrets!: readonly string[]

  @Column({ type: 'boolean' })
  enabled!: boolean
}
