import type { Era, Json, JsonObject } from '@gatehouse/sdk'
import { isObject } from './message.js'

/**
 * A tool as a list of the caller's era has it; schemas are carried as they came. A legacy client knows results that are objects
 * only, and one of the official clients refuses a whole list for one schema without a type. That a tool runs as a task alone is
 * not said where the eras differ: their tasks are not the same. `from` is null when nobody knows any more. The same object when nothing changes.
 */
export function toolFor(tool: JsonObject, from: Era | null, to: Era): JsonObject {
  const isCrossed = from !== null && from !== to
  const own = isCrossed ? withoutTask(tool) : tool
  return to === 'modern' ? own : withObjectSchemas(own)
}

function withObjectSchemas(tool: JsonObject): JsonObject {
  const { inputSchema, outputSchema } = tool
  const isOutputFine = outputSchema === undefined || (isObject(outputSchema) && outputSchema.type === 'object')
  const isInputFine = isObject(inputSchema) && inputSchema.type !== undefined
  if (isOutputFine && isInputFine) return tool
  const own = isOutputFine ? tool : without(tool, 'outputSchema')
  return isInputFine ? own : { ...own, inputSchema: { type: 'object', ...(isObject(inputSchema) ? inputSchema : {}) } }
}

function withoutTask(tool: JsonObject): JsonObject {
  const { execution } = tool
  if (!isObject(execution) || execution.taskSupport !== 'required') return tool
  const rest = without(execution, 'taskSupport')
  return Object.keys(rest).length === 0 ? without(tool, 'execution') : { ...tool, execution: rest }
}

/** The resource of a tool's app (MCP Apps), in either spelling. */
export function appUriOf(tool: JsonObject): string | undefined {
  const meta = isObject(tool._meta) ? tool._meta : {}
  const uri: Json | undefined = (isObject(meta.ui) ? meta.ui.resourceUri : undefined) ?? meta['ui/resourceUri']
  return typeof uri === 'string' && uri !== '' ? uri : undefined
}

/** The tool alone, for whoever may not read its app. */
export function withoutApp(tool: JsonObject): JsonObject {
  if (!isObject(tool._meta)) return tool
  const meta = without(tool._meta, 'ui/resourceUri')
  return { ...tool, _meta: isObject(meta.ui) ? { ...meta, ui: without(meta.ui, 'resourceUri') } : meta }
}

function without(object: JsonObject, key: string): JsonObject {
  const { [key]: _, ...rest } = object
  return rest
}
