import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Behaviour, ReceivedExport } from '../fakes/otlp_receiver.ts'
import { metricsIn, spansIn, type ReceivedMetric, type ReceivedSpan } from '../fakes/otlp_shape.ts'
import { ROOT } from './gatehouse_process.ts'

/** A receiver of telemetry in a process of its own. */
export interface OtlpProcess {
  readonly origin: string
  received(): Promise<readonly ReceivedExport[]>
  spans(): Promise<readonly ReceivedSpan[]>
  /** The newest export of each metric. */
  metrics(): Promise<ReadonlyMap<string, ReceivedMetric>>
  does(behaviour: Behaviour): Promise<void>
  stop(): Promise<void>
}

export async function startOtlpProcess(): Promise<OtlpProcess> {
  const program = path.join(ROOT, 'test/fakes/otlp_receiver.ts')
  const child = spawn(process.execPath, ['--no-warnings', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const { origin } = JSON.parse(line) as { origin: string }
  const received = async (): Promise<readonly ReceivedExport[]> =>
    (await (await fetch(`${origin}/received`)).json()) as ReceivedExport[]
  const bodies = async (signal: string): Promise<readonly string[]> =>
    (await received()).filter((one) => one.path.endsWith(signal)).map(({ body }) => body)
  return {
    origin,
    received,
    spans: async () => (await bodies('/traces')).flatMap(spansIn),
    metrics: async () =>
      new Map((await bodies('/metrics')).flatMap(metricsIn).map((metric) => [metric.name, metric])),
    does: async (behaviour) => void (await fetch(`${origin}/behave/${behaviour}`, { method: 'POST' })),
    stop: async () => {
      child.kill('SIGTERM')
      await once(child, 'close')
    },
  }
}
