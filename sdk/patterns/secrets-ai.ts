import type { Ungrouped } from './pattern.js'

/** Keys of models and of the services around them. */
export const AI_SECRETS: readonly Ungrouped[] = [
  {
    id: 'openai-key',
    title: 'OpenAI API key',
    pattern: '\\bsk-(?:(?:proj|svcacct|admin|None)-[\\w-]{40,}|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20})',
    literals: ['sk-'],
    source: 'https://platform.openai.com/docs/api-reference/authentication',
  },
  {
    id: 'anthropic-key',
    title: 'Anthropic API key or token',
    pattern: '\\bsk-ant-(?:api|admin|oat|ort|sid)[0-9]{2}-[\\w-]{80,}',
    literals: ['sk-ant-'],
    source: 'https://docs.claude.com/en/api/overview',
  },
  {
    id: 'openrouter-key',
    title: 'OpenRouter API key',
    pattern: '\\bsk-or-v1-[0-9a-f]{64}\\b',
    literals: ['sk-or-v1-'],
    source: 'https://openrouter.ai/docs/api-reference/authentication',
  },
  {
    id: 'huggingface-token',
    title: 'Hugging Face token',
    pattern: '\\b(?:hf_|api_org_)[A-Za-z0-9]{34}\\b',
    literals: ['hf_', 'api_org_'],
    source: 'https://huggingface.co/docs/hub/security-tokens',
  },
  {
    id: 'replicate-token',
    title: 'Replicate API token',
    pattern: '\\br8_[A-Za-z0-9]{37}\\b',
    literals: ['r8_'],
    source: 'https://replicate.com/docs/topics/security/api-tokens',
  },
  {
    id: 'groq-key',
    title: 'Groq API key',
    pattern: '\\bgsk_[A-Za-z0-9]{52}\\b',
    literals: ['gsk_'],
    source: 'https://console.groq.com/docs/quickstart',
  },
  {
    id: 'perplexity-key',
    title: 'Perplexity API key',
    pattern: '\\bpplx-[A-Za-z0-9]{48}\\b',
    literals: ['pplx-'],
    source: 'https://docs.perplexity.ai/getting-started/quickstart',
  },
  {
    id: 'xai-key',
    title: 'xAI API key',
    pattern: '\\bxai-[A-Za-z0-9]{80}\\b',
    literals: ['xai-'],
    source: 'https://docs.x.ai/docs/overview',
  },
  {
    id: 'pinecone-key',
    title: 'Pinecone API key',
    pattern: '\\bpcsk_[A-Za-z0-9]{4,8}_[A-Za-z0-9]{50,}\\b',
    literals: ['pcsk_'],
    source: 'https://docs.pinecone.io/guides/projects/manage-api-keys',
  },
  {
    id: 'langsmith-key',
    title: 'LangSmith API key',
    pattern: '\\blsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}\\b',
    literals: ['lsv2_'],
    source:
      'https://docs.smith.langchain.com/administration/how_to_guides/organization_management/create_account_api_key',
  },
  {
    id: 'tavily-key',
    title: 'Tavily API key',
    pattern: '\\btvly-(?:(?:dev|prod)-)?[A-Za-z0-9]{32}\\b',
    literals: ['tvly-'],
    source: 'https://docs.tavily.com/documentation/api-reference/introduction',
  },
  {
    id: 'firecrawl-key',
    title: 'Firecrawl API key',
    pattern: '\\bfc-[0-9a-f]{32}\\b',
    literals: ['fc-'],
    source: 'https://docs.firecrawl.dev/api-reference/introduction',
  },
  {
    id: 'apify-token',
    title: 'Apify API token',
    pattern: '\\bapify_api_[A-Za-z0-9]{36}\\b',
    literals: ['apify_api_'],
    source: 'https://docs.apify.com/platform/integrations/api',
  },
]
