import { foldedName } from './folded_name.ts'

/**
 * Another model, deployment or provider than the one that was decided about. OpenRouter: models, route, provider,
 * preset. LiteLLM: the fallbacks, model_list, custom_llm_provider, specific_deployment, tags and a prompt kept on the
 * server, which names its own model. Vercel: provider_options. Portkey: config, strategy, targets,
 * override_params. Azure's old clients: engine, deployment_id. Groq: compound_custom. LoRAX and SGLang load the adapter that
 * is named, others the model that drafts or judges; tools of some servers call the model that they name. Anthropic: the region
 * and the workspace.
 */
const CHOICES = [
  'adapter_id',
  'adapter_source',
  'compound_custom',
  'config',
  'content_policy_fallbacks',
  'context_window_fallback_dict',
  'context_window_fallbacks',
  'custom_llm_provider',
  'deployment_id',
  'draft_model',
  'engine',
  'fallback',
  'fallbacks',
  'inference_geo',
  'lora',
  'lora_path',
  'model',
  'model_list',
  'models',
  'override_params',
  'preset',
  'prompt_id',
  'provider',
  'provider_options',
  'route',
  'router_settings_override',
  'safety_model',
  'specific_deployment',
  'strategy',
  'tags',
  'targets',
  'workspace_id',
]

/**
 * Content from elsewhere, which no inspection has seen. Azure: data_sources, enhancements. OpenRouter: plugins. LiteLLM:
 * vector_store_ids. Anthropic: mcp_servers. xAI: search_parameters, with feeds by address. Cohere and OpenAI: connectors, tunnels. vLLM and
 * SGLang fetch the memory of a prompt from the host that the transfer and bootstrap fields name.
 */
const CONTENT = [
  'bootstrap_host',
  'bootstrap_port',
  'bootstrap_room',
  'connector_id',
  'connectors',
  'data_sources',
  'ec_transfer_params',
  'enhancements',
  'kv_transfer_params',
  'mcp_servers',
  'plugins',
  'search_parameters',
  'tunnel_id',
  'vector_store_ids',
]

/**
 * Another address, other credentials, or headers and fields past these checks: LiteLLM, Portkey and the clients that they
 * call. A server that sends its own key to an address of the caller's choice has given it away.
 */
const ELSEWHERE = [
  'api_base',
  'api_key',
  'api_token',
  'api_version',
  'authorization',
  'base_url',
  'client_id',
  'client_secret',
  'custom_host',
  'deployment_url',
  'extra_body',
  'extra_headers',
  'extra_query',
  'headers',
  'organization',
  'provider_specific_header',
  's3_endpoint_url',
  'server_url',
  'ssl_verify',
  'tenant_id',
  'user_config',
  'virtual_key',
]

/** TensorZero's own fields, all of them: credentials, headers, and patches to any place of the body that it sends. */
const GATEWAYS = ['tensorzero']

/** The same for clouds, each with many names: LiteLLM takes addresses, roles and credentials of all of them. */
const CLOUDS = ['aws_', 'azure', 'gcs_', 'litellm_', 'sagemaker_', 'vertex_', 'watsonx_']

/** Where LiteLLM sends its records, with whose key; it reads these out of `metadata` too. */
const OBSERVERS = ['arize_', 'humanloop_', 'langfuse_', 'langsmith_', 'posthog_', 'wandb_']

const BY_FOLD = byFold([...CHOICES, ...CONTENT, ...ELSEWHERE])
const BEGINNINGS = byFold([...GATEWAYS, ...CLOUDS, ...OBSERVERS])
const IN_METADATA = byFold([
  'api_base',
  'api_key',
  'base_url',
  'extra_headers',
  's3_endpoint_url',
  'user_config',
])
const METADATA_BEGINNINGS = byFold(OBSERVERS)

/**
 * What we call a field by which a server chooses another model, address or key than policy has decided about, or loads
 * what was not inspected; undefined for any other. Takes the fold of its name.
 */
export function reroutingName(folded: string): string | undefined {
  return BY_FOLD.get(folded) ?? beginningOf(folded, BEGINNINGS)
}

/** As `reroutingName`, for a member of `metadata`, where most names are the caller's own affair. */
export function redirectingName(folded: string): string | undefined {
  return IN_METADATA.get(folded) ?? beginningOf(folded, METADATA_BEGINNINGS)
}

function byFold(names: readonly string[]): ReadonlyMap<string, string> {
  return new Map(names.map((name) => [foldedName(name), name]))
}

function beginningOf(folded: string, beginnings: ReadonlyMap<string, string>): string | undefined {
  for (const [start, name] of beginnings) if (folded.startsWith(start)) return `${name}…`
  return undefined
}
