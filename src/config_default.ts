/** What is written as gatehouse.yaml on the first start. It must load as it stands. */
export const DEFAULT_CONFIG_TEXT = `# Gatehouse. Every key is explained in docs/reference/configuration.md.
# Check a change before it is used:  ./gatehouse config check

models:
  # Built in, deterministic, needs nothing: says back what it was told.
  echo: { provider: echo }

  # A real provider. It answers as soon as OPENAI_API_KEY is set where the door is started.
  house-model:
    provider: openai
    base_url: https://api.openai.com/v1
    model: gpt-5-mini
    key: { from_env: OPENAI_API_KEY }
    region: us

  # Any OpenAI-compatible server will do. Remove the "#" of these four lines for one on this machine.
  # local-model:
  #   provider: openai
  #   base_url: http://127.0.0.1:8000/v1
  #   model: llama-3

# Where to listen. Anything but loopback needs tls.
# listen: 127.0.0.1:4400
# admin_listen: 127.0.0.1:4401
# metrics_listen: 127.0.0.1:4402
# tls: { cert: tls/cert.pem, key: tls/key.pem }

# What happens to what inspection finds in requests and answers: pass, redact or block.
# inspection:
#   credentials: { request: redact, response: redact }
#   hidden: { request: redact, response: redact }
#   personal: { request: redact, response: redact }
#   long_encoded_runs: pass

# How much the ledger may take, and files outside this machine that get every checkpoint.
# ledger:
#   max_bytes: 10737418240
#   anchors: [/mnt/elsewhere/gatehouse-checkpoints]
`
