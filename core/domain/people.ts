import type { User } from './nouns.js'

export const SUPER_ADMIN = 'super-admin'
export const BUILT_IN_ROLES: readonly string[] = [SUPER_ADMIN, 'administrator', 'member']

/** Who stands behind the credential of the command line. No person: it cannot sign in, and never counts as a super admin. */
export const OPERATOR_EMAIL = 'operator@localhost'

export const isOperator = ({ email }: Pick<User, 'email'>): boolean => email === OPERATOR_EMAIL

/** Whether this is a person who can administer everything. */
export const isSuperAdmin = (user: User): boolean => user.role === SUPER_ADMIN && user.enabled && !isOperator(user)
