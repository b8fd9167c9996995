import type { Command } from '../command.ts'
import { bench } from './bench.ts'
import { callerDisable } from './caller_disable.ts'
import { callerEnable } from './caller_enable.ts'
import { callerList } from './caller_list.ts'
import { configCheck } from './config_check.ts'
import { configShow } from './config_show.ts'
import { doctor } from './doctor.ts'
import { keyCreate } from './key_create.ts'
import { keyList } from './key_list.ts'
import { keyRevoke } from './key_revoke.ts'
import { keyRotate } from './key_rotate.ts'
import { ledgerShow } from './ledger_show.ts'
import { ledgerTail } from './ledger_tail.ts'
import { ledgerVerify } from './ledger_verify.ts'
import { listeners } from './listeners.ts'
import { policyApply } from './policy_apply.ts'
import { policyCheck } from './policy_check.ts'
import { policyShow } from './policy_show.ts'
import { up } from './up.ts'
import { why } from './why.ts'

/** Every command, in the order in which a newcomer meets them. */
export const COMMANDS: readonly Command[] = [
  up,
  why,
  keyCreate,
  keyList,
  keyRotate,
  keyRevoke,
  callerList,
  callerDisable,
  callerEnable,
  policyCheck,
  policyApply,
  policyShow,
  configCheck,
  configShow,
  listeners,
  ledgerShow,
  ledgerVerify,
  ledgerTail,
  doctor,
  bench,
]
