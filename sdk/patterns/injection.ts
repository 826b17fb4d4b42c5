import type { Ungrouped } from './pattern.js'

const OWASP = 'https://genai.owasp.org/llmrisk/llm01-prompt-injection/'
const ATLAS = 'https://atlas.mitre.org/techniques/AML.T0051'

/** Common turns of phrase of text that wants to be obeyed by a model. They find the clumsy; a determined attacker says it otherwise. */
export const INJECTION_PATTERNS: readonly Ungrouped[] = [
  {
    id: 'injection-ignore-instructions',
    title: 'Asks to ignore earlier instructions',
    pattern:
      "\\b(?:ignore|disregard|forget|override|bypass|skip)\\s+(?:[\\w']+\\s+){0,3}?(?:previous|prior|above|earlier|preceding|existing|former|system|original)\\s+" +
      '(?:\\w+\\s+){0,2}?(?:instructions?|prompts?|rules|directions|directives|guidelines|context|messages?|commands?)\\b',
    ignoreCase: true,
    source: OWASP,
  },
  {
    id: 'injection-new-role',
    title: 'Gives the model another role',
    pattern:
      "\\b(?:from\\s+now\\s+on|you\\s+are\\s+now|pretend\\s+(?:that\\s+)?you\\s+are|act\\s+as\\s+if\\s+you\\s+(?:are|were))\\s+(?:[\\w']+\\s+){0,4}?" +
      '(?:DAN|unrestricted|unfiltered|jailbroken|root|admin(?:istrator)?|developer\\s+mode|evil|without\\s+(?:any\\s+)?(?:restrictions|limits|rules|filters))\\b',
    ignoreCase: true,
    source: OWASP,
  },
  {
    id: 'injection-jailbreak',
    title: 'Names a well-known jailbreak',
    pattern:
      '\\b(?:DAN\\s+mode|do\\s+anything\\s+now|developer\\s+mode\\s+(?:enabled|on|activated)|jailbreak\\s+mode|god\\s+mode\\s+(?:enabled|on|activated)|' +
      'opposite\\s+mode|no\\s+longer\\s+bound\\s+by)\\b',
    ignoreCase: true,
    source: ATLAS,
  },
  {
    id: 'injection-prompt-leak',
    title: 'Asks for the hidden instructions',
    pattern:
      '\\b(?:reveal|show|print|repeat|output|display|leak|disclose|expose|dump|tell\\s+me)\\s+(?:\\w+\\s+){0,4}?' +
      '(?:system|initial|hidden|original|developer|secret)\\s+(?:prompts?|instructions?|messages?)\\b',
    ignoreCase: true,
    source: 'https://genai.owasp.org/llmrisk/llm072025-system-prompt-leakage/',
  },
  {
    id: 'injection-chat-markers',
    title: 'Holds the marks of a chat template',
    pattern:
      '<\\|(?:im_start|im_end|system|user|assistant|endoftext|end_of_text|begin_of_text|eot_id|start_header_id|end_header_id|im_sep)\\|>|' +
      '\\[/?INST\\]|<</?SYS>>|</?start_of_turn>|</?end_of_turn>',
    ignoreCase: true,
    source: 'https://huggingface.co/docs/transformers/chat_templating',
  },
  {
    id: 'injection-hide-from-user',
    title: 'Asks to keep something from the user',
    pattern:
      "\\b(?:(?:do\\s+not|don'?t|never|must\\s+not|without)\\s+(?:tell(?:ing)?|inform(?:ing)?|mention(?:ing)?|notify(?:ing)?|alert(?:ing)?|show(?:ing)?|reveal(?:ing)?)\\s+" +
      "(?:[\\w']+\\s+){0,4}?(?:to\\s+)?the\\s+user|(?:hide|conceal|keep)\\s+(?:\\w+\\s+){0,3}?from\\s+the\\s+user)\\b",
    ignoreCase: true,
    source: ATLAS,
  },
  {
    id: 'injection-hidden-tag',
    title: 'Orders in a tag of their own',
    pattern: '<(?:important|system|hidden|secret|instructions?|system[-_]?(?:prompt|message|reminder)|admin)>',
    ignoreCase: true,
    source: ATLAS,
  },
  {
    id: 'injection-sensitive-file',
    title: 'Asks to read a file that holds credentials',
    pattern:
      '\\b(?:read|cat|open|load|send|upload|include|attach|pass|copy|fetch|print|provide)\\s+(?:[\\w\'`"]+\\s+){0,6}?[`"\']?' +
      '(?:~/|/home/\\w+/|\\$HOME/)?(?:\\.ssh/|\\.aws/credentials|\\.env\\b|\\.netrc|\\.npmrc|\\.kube/config|\\.cursor/mcp\\.json|/etc/shadow|id_rsa|id_ed25519)',
    ignoreCase: true,
    source: ATLAS,
  },
  {
    id: 'injection-image-exfiltration',
    title: 'A picture whose address carries data out',
    pattern: '!\\[[^\\]\\n]*\\]\\(https?://[^\\s)?]+\\?[^\\s)]{30,}\\)',
    literals: ['!['],
    source: 'https://genai.owasp.org/llmrisk/llm022025-sensitive-information-disclosure/',
  },
  {
    id: 'injection-hidden-unicode',
    title: 'Text in invisible or reversing characters',
    pattern:
      '(?:\\udb40[\\udc20-\\udc7f]){8,}|[\\u202a-\\u202e\\u2066-\\u2069]|[\\u200b\\u200c\\u2060\\u2062-\\u2064]{4,}',
    source: 'https://www.unicode.org/reports/tr36/',
  },
]
