const WORD =
  /^(?:pass(?:word|wd)?|pwd|secret|token|change[_-]?me|replace[_-]?me|redacted|removed|hidden|none|null|nil|undefined|true|false|empty|string|required|optional|(?:my|your|the|a|some|test|demo|example|sample|dummy|fake|mock)[_-]?\w*)$/i
const SAYS_SO = /example|placeholder|redacted|change-?me|\$\{|\{\{|<[a-z]|\.\.\.|…|xxxx|\*{3}|(.)\1{5}/i
const TEMPLATE = /^(?:[<[{(%]|\$[A-Z_({])|^(.)\1*$/

/** True for what stands in documents where a secret would: words, templates, one sign over and over. */
export function isPlaceholder(text: string): boolean {
  return WORD.test(text) || SAYS_SO.test(text) || TEMPLATE.test(text)
}
