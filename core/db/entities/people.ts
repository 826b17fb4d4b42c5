import { Column, Entity } from 'typeorm'
import type { Role, User } from '../../domain/nouns.js'
import { StoredEntity } from './stored.js'

@Entity('users')
export class UserEntity extends StoredEntity implements User {
  @Column({ type: 'text' })
  email!: string

  @Column({ type: 'text' })
  name!: string

  @Column({ type: 'text' })
  role!: string

  @Column({ type: 'boolean' })
  enabled!: boolean
}

@Entity('roles')
export class RoleEntity extends StoredEntity implements Role {
  @Column({ type: 'text' })
  slug!: string

  @Column({ type: 'text' })
  title!: string

  @Column({ type: 'text', array: true })
  capabilities!: readonly string[]
}

/** Members lie in a table of their own, written by the repository. */
@Entity('teams')
export class TeamEntity extends StoredEntity {
  @Column({ type: 'text' })
  slug!: string

  @Column({ type: 'text' })
  title!: string

  @Column({ type: 'boolean' })
  enabled!: boolean
}
