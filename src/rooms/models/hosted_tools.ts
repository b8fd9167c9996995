import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import type { ModelApi } from './provider.ts'

/**
 * True when the provider itself may run something for the model, a search or code: then the model reads what that gives, as
 * often as it likes, and nothing in the request says how much.
 */
export function hasHostedTool(api: ModelApi, request: JsonObject): boolean {
  const { input, container, web_search_options: search } = request
  if ((container ?? null) !== null || (search ?? null) !== null) return true
  const items = api === 'responses' ? objectsIn(input) : []
  return [request, ...items].some((one) => objectsIn(one['tools']).some((tool) => isHosted(api, tool)))
}

function isHosted(api: ModelApi, tool: JsonObject): boolean {
  const { type = null, tools } = tool
  if (type === 'namespace') return objectsIn(tools).some((inner) => isHosted(api, inner))
  return !isRunByCaller(api, type)
}

function isRunByCaller(api: ModelApi, type: JsonValue): boolean {
  if (api !== 'messages') return typeof type === 'string' && RUN_BY_CALLERS.has(type)
  return type === null || type === 'custom' || (typeof type === 'string' && DATED_RUN_BY_CALLERS.test(type))
}

/** Of OpenAI: the model only says what is to be run. */
const RUN_BY_CALLERS: ReadonlySet<string> = new Set([
  'apply_patch',
  'computer',
  'computer_use_preview',
  'custom',
  'function',
  'local_shell',
])

/** Of Anthropic, each with the date of its version. */
const DATED_RUN_BY_CALLERS = /^(?:bash|computer|memory|text_editor)_\d{8}$/

function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return value !== undefined && isJsonArray(value) ? value.filter(isJsonObject) : []
}
