import type { RuleAnswer, RuleFinding } from '@gatehouse/sdk/rule-abi'
import type { Link } from './protocol.js'

/** Whether a finding says where. */
export const isPlaced = ({ text, key }: RuleFinding): boolean => text !== undefined || key !== undefined

/**
 * What an answer is to the gateway: findings that the rule's action is done to, if it has one and they say where; else its verdict.
 * What a rule found before it could not tell may not be all.
 */
export function decisionOf(
  { verdict, findings = [] }: RuleAnswer,
  { action }: Pick<Link, 'action'>,
): RuleAnswer['verdict'] | 'findings' {
  return action !== null && verdict !== 'undecided' && findings.some(isPlaced) ? 'findings' : verdict
}

/**
 * What follows for the rules behind: they see the same message, another one, or are not asked, since only the gateway knows what
 * they would see.
 */
export type Next = 'same' | 'changed' | 'end'

export function nextAfter(answer: RuleAnswer, { action, shadow }: Pick<Link, 'action' | 'shadow'>): Next {
  if (shadow || action === 'detect') return 'same'
  switch (decisionOf(answer, { action })) {
    case 'findings':
    case 'block':
      return 'end'
    case 'modify':
      return action === null && answer.message !== undefined ? 'changed' : 'end'
    default:
      return 'same'
  }
}
