import type { ElicitRequestFormParams } from '@modelcontextprotocol/server'

type Form = ElicitRequestFormParams['requestedSchema']

/** A default for every primitive type. */
export const DEFAULTS: Form = {
  type: 'object',
  properties: {
    name: { type: 'string', description: 'Name of the user', default: 'John Doe' },
    age: { type: 'integer', description: 'Age of the user', default: 30 },
    score: { type: 'number', description: 'Score of the user', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', description: 'Whether the user is verified', default: true },
  },
}

/** Every form of choosing one or several of a few values. */
export const CHOICES: Form = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
    titledSingle: {
      type: 'string',
      oneOf: [
        { const: 'value1', title: 'First Option' },
        { const: 'value2', title: 'Second Option' },
        { const: 'value3', title: 'Third Option' },
      ],
    },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
    titledMulti: {
      type: 'array',
      items: {
        anyOf: [
          { const: 'value1', title: 'First Choice' },
          { const: 'value2', title: 'Second Choice' },
          { const: 'value3', title: 'Third Choice' },
        ],
      },
    },
  },
}
