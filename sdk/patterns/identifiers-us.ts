import type { Ungrouped } from './pattern.js'

export const US_IDENTIFIERS: readonly Ungrouped[] = [
  {
    id: 'us-ssn',
    title: 'US social security number',
    pattern: '\\b[0-9]{3}-[0-9]{2}-[0-9]{4}\\b',
    literals: ['-'],
    at: [3],
    check: 'ssn',
    source: 'https://www.ssa.gov/employer/randomization.html',
  },
  {
    id: 'us-itin',
    title: 'US individual taxpayer identification number',
    pattern: '\\b9[0-9]{2}-[0-9]{2}-[0-9]{4}\\b',
    literals: ['-'],
    at: [3],
    check: 'itin',
    source: 'https://www.irs.gov/individuals/individual-taxpayer-identification-number',
  },
  {
    id: 'us-ein',
    title: 'US employer identification number behind its name',
    pattern: '\\b(?:EIN|employer id(?:entification)?(?: number)?|FEIN|tax id)[ ]?[:=#]?[ ]?[0-9]{2}-[0-9]{7}\\b',
    ignoreCase: true,
    check: 'behindLabel',
    source: 'https://www.irs.gov/businesses/small-businesses-self-employed/employer-id-numbers',
  },
  {
    id: 'us-passport',
    title: 'US passport number behind its name',
    pattern: '\\bpassport(?: (?:number|no\\.?|#))?[ ]?[:=#]?[ ]?[A-Z]?[0-9]{8,9}\\b',
    ignoreCase: true,
    check: 'behindLabel',
    source: 'https://travel.state.gov/content/travel/en/passports/passport-help/next-generation-passport.html',
  },
  {
    id: 'us-medicare-number',
    title: 'Medicare beneficiary identifier',
    pattern:
      '\\b[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]-?[AC-HJKMNP-RT-Y]{2}[0-9]{2}\\b',
    source: 'https://www.cms.gov/medicare/new-medicare-card/understanding-the-mbi-with-format.pdf',
  },
  {
    id: 'us-npi',
    title: 'National provider identifier behind its name, checked by Luhn',
    pattern: '\\bNPI(?: (?:number|no\\.?|#))?[ ]?[:=#]?[ ]?[12][0-9]{9}\\b',
    ignoreCase: true,
    check: 'npiBehindLabel',
    source: 'https://www.cms.gov/regulations-and-guidance/administrative-simplification/nationalprovidentstand',
  },
  {
    id: 'us-driver-license',
    title: "US driver's licence number behind its name",
    pattern:
      "\\b(?:driver'?s? licen[sc]e|DL)(?: (?:number|no\\.?|#))?[ ]?[:=#][ ]?(?:[A-Z]{1,2}[0-9]{5,14}|[0-9]{7,12})\\b",
    ignoreCase: true,
    check: 'behindLabel',
    source: 'https://www.aamva.org/identity/anatomy-of-a-driver-license-or-identification-card',
  },
]
