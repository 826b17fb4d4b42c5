import { Column, Entity } from 'typeorm'
import type { Idp } from '../../domain/nouns.js'
import { PluggedEntity } from './plugged.js'

@Entity('idps')
export class IdpEntity extends PluggedEntity implements Idp {
  @Column({ type: 'text' })
  title!: string

  @Column({ type: 'text', array: true })
  domains!: readonly string[]

  @Column({ type: 'text', nullable: true })
  role!: string | null

  @Column({ type: 'jsonb' })
  groups!: Readonly<Record<string, string>>

  @Column({ type: 'boolean' })
  button!: boolean

  @Column({ type: 'boolean' })
  required!: boolean

  @Column({ type: 'text', array: true, name: 'break_glass' })
  breakGlass!: readonly string[]

  @Column({ type: 'boolean', name: 'trust_domain_verified_email' })
  trustDomainVerifiedEmail!: boolean

  @Column({ type: 'boolean', name: 'trust_assertions' })
  trustAssertions!: boolean
}
