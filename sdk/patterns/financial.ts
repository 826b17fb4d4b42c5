import type { Ungrouped } from './pattern.js'

/** Cards and accounts. */
export const FINANCIAL_PATTERNS: readonly Ungrouped[] = [
  {
    id: 'credit-card',
    title: 'Card number of the common schemes, checked by Luhn',
    pattern:
      '\\b(?:(?:4[0-9]{3}|5[1-5][0-9]{2}|2[2-7][0-9]{2}|6(?:011|4[4-9][0-9]|5[0-9]{2})|35[2-8][0-9]|62[0-9]{2})[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}|' +
      '3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}|3(?:0[0-5]|[68][0-9])[0-9][ -]?[0-9]{6}[ -]?[0-9]{4})\\b',
    check: 'luhn',
    source: 'https://www.iso.org/standard/70484.html',
  },
  {
    id: 'iban',
    title: 'International bank account number, checked modulo 97',
    pattern: '\\b[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?\\b',
    check: 'iban',
    source: 'https://www.swift.com/standards/data-standards/iban-international-bank-account-number',
  },
  {
    id: 'us-routing-number',
    title: 'US bank routing number behind its name, checked',
    pattern: '\\b(?:routing|ABA|RTN)(?: (?:transit )?(?:number|no\\.?|#))?[ ]?[:=#]?[ ]?[0-9]{9}\\b',
    ignoreCase: true,
    check: 'routingBehindLabel',
    source: 'https://www.aba.com/about-us/routing-number',
  },
  {
    id: 'us-bank-account',
    title: 'US bank account number behind its name',
    pattern: '\\b(?:account|acct\\.?)[ ](?:number|no\\.?|#)[ ]?[:=#]?[ ]?[0-9]{8,17}\\b',
    ignoreCase: true,
    check: 'behindLabel',
    source: 'https://www.nacha.org/content/what-is-ach',
  },
  {
    id: 'bic',
    title: 'Business identifier code behind its name',
    pattern: '\\b(?:BIC|SWIFT)(?:[ /-]?(?:code|BIC))?[ ]?[:=]?[ ]?[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?\\b',
    check: 'behindLabel',
    source: 'https://www.swift.com/standards/data-standards/bic-business-identifier-code',
  },
]
