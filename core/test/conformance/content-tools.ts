import { fromJsonSchema, type McpServer } from '@modelcontextprotocol/server'
import { PIXEL_PNG, SILENT_WAV } from './media.js'

/** Answers of every kind of content. The first one listed is what the header scenarios call with whatever they like. */
export function addContentTools(server: McpServer): void {
  server.registerTool('test_simple_text', { description: 'Answers with one text.' }, () => ({
    content: [{ type: 'text', text: 'This is a simple text response for testing.' }],
  }))
  server.registerTool('test_image_content', { description: 'Answers with an image.' }, () => ({
    content: [{ type: 'image', data: PIXEL_PNG, mimeType: 'image/png' }],
  }))
  server.registerTool('test_audio_content', { description: 'Answers with a sound.' }, () => ({
    content: [{ type: 'audio', data: SILENT_WAV, mimeType: 'audio/wav' }],
  }))
  server.registerTool('test_embedded_resource', { description: 'Answers with an embedded resource.' }, () => {
    const text = 'This is an embedded resource content.'
    return {
      content: [{ type: 'resource', resource: { uri: 'test://embedded-resource', mimeType: 'text/plain', text } }],
    }
  })
  server.registerTool('test_multiple_content_types', { description: 'Answers with three kinds of content.' }, () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      { type: 'image', data: PIXEL_PNG, mimeType: 'image/png' },
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: JSON.stringify({ test: 'data', value: 123 }),
        },
      },
    ],
  }))
  server.registerTool('test_error_handling', { description: 'Always fails.' }, () => ({
    content: [{ type: 'text', text: 'This tool intentionally returns an error for testing' }],
    isError: true,
  }))
}

/** Tools whose schema is what is looked at. They come last: no scenario may meet them as the first of the list. */
export function addSchemaTools(server: McpServer): void {
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Has a schema that uses much of JSON Schema 2020-12.', inputSchema: fromJsonSchema(CONTACT) },
    (args) => ({ content: [{ type: 'text', text: JSON.stringify(args) }] }),
  )
  server.registerTool(
    'test_header_param',
    { description: 'Wants one argument as a header, too.', inputSchema: fromJsonSchema<{ region: string }>(REGION) },
    ({ region }) => ({ content: [{ type: 'text', text: `Region: ${region}` }] }),
  )
}

const REGION = {
  type: 'object',
  properties: { region: { type: 'string', description: 'Where it runs', 'x-mcp-header': 'Region' } },
  required: ['region'],
}

const CONTACT = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
}
