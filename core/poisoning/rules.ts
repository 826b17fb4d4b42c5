import type { Check, Severity } from './types.js'
import type { Idea } from './lexicon.js'

export interface WordRule {
  readonly check: Check
  readonly severity: Severity
  /** All of them have to be found within `within` signs. */
  readonly ideas: readonly Idea[]
  readonly within: number
  /** Where it is told: anywhere, only in what the model is asked to send, or only in names that are whole sentences. */
  readonly only?: 'input' | 'name'
  readonly says: string
}

const MODEL = 'instruction_to_model' as const

/** What the ideas mean together. The first that fits of each check and severity is told. */
export const WORD_RULES: readonly WordRule[] = [
  {
    check: MODEL,
    severity: 'high',
    ideas: ['override'],
    within: 200,
    says: 'gives orders to the model, or overrides those it has',
  },
  { check: MODEL, severity: 'high', ideas: ['turn'], within: 200, says: 'imitates a turn of a conversation' },
  { check: MODEL, severity: 'high', ideas: ['consent'], within: 200, says: 'says that nobody need be asked' },
  { check: MODEL, severity: 'high', ideas: ['deed'], within: 200, says: 'has something run or destroyed' },
  {
    check: MODEL,
    severity: 'high',
    ideas: ['take', 'secretPlace', 'give'],
    within: 220,
    says: 'has secrets read and handed over',
  },
  { check: MODEL, severity: 'high', ideas: ['take', 'secretPlace', 'inside'], within: 160, says: 'has secrets read' },
  {
    check: MODEL,
    severity: 'high',
    ideas: ['secretPlace', 'inside', 'give'],
    within: 160,
    says: 'has secrets handed over',
  },
  {
    check: MODEL,
    severity: 'high',
    ideas: ['moment', 'take', 'secretPlace'],
    within: 200,
    says: 'has secrets read first',
  },
  {
    check: MODEL,
    severity: 'high',
    ideas: ['ai', 'order', 'secretThing'],
    within: 200,
    says: 'orders the model about secrets',
  },
  {
    check: MODEL,
    severity: 'high',
    ideas: ['account', 'order', 'redirect'],
    within: 200,
    says: 'leads mail or money to an address of its own',
  },
  { check: MODEL, severity: 'medium', ideas: ['ai', 'order'], within: 60, says: 'gives orders to the model' },
  {
    check: MODEL,
    severity: 'high',
    ideas: ['secretFile', 'give'],
    within: 100,
    says: 'has files handed over that hold secrets',
  },
  {
    check: MODEL,
    severity: 'medium',
    ideas: ['secretPlace', 'give'],
    within: 80,
    says: 'speaks of handing secrets over',
  },
  {
    check: 'exfiltration',
    severity: 'high',
    ideas: ['drop'],
    within: 200,
    says: 'names a place where stolen data is collected',
  },
  { check: 'exfiltration', severity: 'high', ideas: ['give', 'talk'], within: 120, says: 'asks for the conversation' },
  {
    check: 'exfiltration',
    severity: 'high',
    ideas: ['give', 'conversation', 'inside'],
    within: 160,
    says: 'asks for the conversation',
  },
  {
    check: 'exfiltration',
    severity: 'high',
    ideas: ['give', 'conversation', 'moment'],
    within: 160,
    says: 'asks for the conversation',
  },
  {
    check: 'exfiltration',
    severity: 'high',
    ideas: ['environment', 'inside', 'give'],
    within: 120,
    says: 'asks for the environment of the process',
  },
  {
    check: 'exfiltration',
    severity: 'high',
    ideas: ['secretThing', 'owned', 'take'],
    within: 160,
    says: 'asks for secrets that nobody gave',
  },
  {
    check: 'exfiltration',
    severity: 'high',
    ideas: ['secretThing', 'owned', 'give'],
    within: 160,
    says: 'asks for secrets that nobody gave',
  },
  {
    check: 'exfiltration',
    severity: 'high',
    ideas: ['talk'],
    within: 90,
    only: 'input',
    says: 'asks for the conversation',
  },
  {
    check: 'exfiltration',
    severity: 'high',
    ideas: ['conversation', 'inside'],
    within: 90,
    only: 'input',
    says: 'asks for the conversation',
  },
  {
    check: 'exfiltration',
    severity: 'high',
    ideas: ['environment', 'inside'],
    within: 90,
    only: 'input',
    says: 'asks for the environment',
  },
  {
    check: 'exfiltration',
    severity: 'high',
    ideas: ['secretPlace', 'inside'],
    within: 90,
    only: 'input',
    says: 'asks for files that hold secrets',
  },
  {
    check: 'exfiltration',
    severity: 'high',
    ideas: ['secretFile', 'take'],
    within: 90,
    only: 'input',
    says: 'asks for files that hold secrets',
  },
  {
    check: 'exfiltration',
    severity: 'high',
    ideas: ['secretThing', 'owned'],
    within: 80,
    only: 'input',
    says: 'asks for secrets that nobody gave',
  },
  {
    check: 'exfiltration',
    severity: 'high',
    ideas: ['give', 'secretThing'],
    within: 120,
    only: 'name',
    says: 'has a name that asks for secrets',
  },
  {
    check: 'exfiltration',
    severity: 'high',
    ideas: ['take', 'secretThing'],
    within: 120,
    only: 'name',
    says: 'has a name that asks for secrets',
  },
]
