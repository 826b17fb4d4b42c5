import { type EntityManager, In } from 'typeorm'
import type { Team, User } from '../../domain/nouns.js'
import type { Draft, Repository, UserRepository } from '../../domain/store.js'
import { TeamEntity, UserEntity } from '../entities/people.js'
import { USER } from './kinds.js'
import { insertRow, isId, present, removeRow, rowRepository, updateRow } from './rows.js'
import type { Kind } from './rows.js'

/** E-mail addresses are kept in lower case. A user's own identities and their secrets go with the user. */
export function userRepository(manager: EntityManager): UserRepository {
  const rows = rowRepository<User, InstanceType<typeof USER.entity>>(manager, USER)
  return {
    ...rows,
    many: async (idsOrEmails) => {
      const found = await manager.find(UserEntity, {
        where: [{ id: In(idsOrEmails.filter(isId)) }, { email: In(idsOrEmails.filter((one) => !isId(one))) }],
      })
      return found.map((row) => ({ ...row }))
    },
    inRole: async (role) => {
      const found = await manager.find(UserEntity, { where: { role }, order: { createdAt: 'ASC', id: 'ASC' } })
      return found.map((row) => ({ ...row }))
    },
    insert: (draft: Draft<User>) => rows.insert(lower(draft)),
    update: (id, patch) => rows.update(id, lower(patch)),
    remove: (id) =>
      manager.transaction(async (inside) => {
        if (isId(id)) await inside.query(REMOVE_OWN_IDENTITIES, [id])
        await removeRow(inside, USER, id)
      }),
  }
}

const lower = <P extends { readonly email?: string }>(given: P): P =>
  given.email === undefined ? given : { ...given, email: given.email.toLowerCase() }

const REMOVE_OWN_IDENTITIES = `with gone as (delete from identities where owner_id = $1 and not shared returning id)
  delete from secrets where owner_id in (select id::text from gone)`

const TEAM: Kind<TeamEntity> = { entity: TeamEntity, noun: 'team', key: (slug) => ({ slug }) }

const SELECT_TEAM = `select t.id, t.managed_by as "managedBy", t.created_at as "createdAt", t.updated_at as "updatedAt",
  t.slug, t.title, t.enabled,
  array(select m.user_id::text from team_members m where m.team_id = t.id order by 1) as "memberIds" from teams t`

type TeamRow = Omit<Team, 'createdAt' | 'updatedAt'> & { readonly createdAt: Date; readonly updatedAt: Date }

export function teamRepository(manager: EntityManager): Repository<Team> {
  const select = async (rest: string, given: readonly unknown[]): Promise<Team[]> => {
    const rows: TeamRow[] = await manager.query(`${SELECT_TEAM} ${rest}`, [...given])
    return rows.map((row) => ({
      ...row,
      createdAt: row.createdAt.toISOString(),
      updatedAt: row.updatedAt.toISOString(),
    }))
  }
  const find = async (id: string): Promise<Team | null> =>
    isId(id) ? ((await select('where t.id = $1', [id]))[0] ?? null) : null

  return {
    all: () => select('order by t.created_at, t.id', []),
    find,
    byKey: async (slug) => (await select('where t.slug = $1', [slug]))[0] ?? null,
    insert: async (draft) => {
      const id = await manager.transaction(async (inside) => {
        const made = await insertRow(inside, TeamEntity, draft)
        await writeMembers(inside, made, draft.memberIds)
        return made
      })
      return present(await find(id), 'team')
    },
    update: async (id, patch) => {
      await manager.transaction(async (inside) => {
        await updateRow(inside, TEAM, id, patch)
        if (patch.memberIds !== undefined) await writeMembers(inside, id, patch.memberIds)
      })
      return present(await find(id), 'team')
    },
    remove: (id) => removeRow(manager, TEAM, id),
  }
}

async function writeMembers(manager: EntityManager, teamId: string, memberIds: readonly string[]): Promise<void> {
  await manager.query('delete from team_members where team_id = $1', [teamId])
  await manager.query('insert into team_members (team_id, user_id) select $1, unnest($2::uuid[])', [
    teamId,
    [...new Set(memberIds)],
  ])
}
