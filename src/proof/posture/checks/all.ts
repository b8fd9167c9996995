import type { Check } from '../check.ts'
import { clockSane } from './clock_sane.ts'
import { diskForecast } from './disk_forecast.ts'
import { doorRunning } from './door_running.ts'
import { firstKeyGone } from './first_key_gone.ts'
import { homePermissions } from './home_permissions.ts'
import { homeRestored } from './home_restored.ts'
import { issuersReadable } from './issuers_readable.ts'
import { keyFileModes } from './key_file_modes.ts'
import { ledgerAnchored } from './ledger_anchored.ts'
import { ledgerVerifies } from './ledger_verifies.ts'
import { ledgerWritable } from './ledger_writable.ts'
import { listenersGuarded } from './listeners_guarded.ts'
import { modelsHaveKeys } from './models_have_keys.ts'
import { nodePinned } from './node_pinned.ts'
import { outcomesKnown } from './outcomes_known.ts'
import { policyHealthy } from './policy_healthy.ts'
import { workersServing } from './workers_serving.ts'

/** Every check, in the order of the alphabet. */
export const CHECKS: readonly Check[] = [
  clockSane,
  diskForecast,
  doorRunning,
  firstKeyGone,
  homePermissions,
  homeRestored,
  issuersReadable,
  keyFileModes,
  ledgerAnchored,
  ledgerVerifies,
  ledgerWritable,
  listenersGuarded,
  modelsHaveKeys,
  nodePinned,
  outcomesKnown,
  policyHealthy,
  workersServing,
]
