import type { Command } from '../command.ts'
import { backup } from './backup.ts'
import { backupVerify } from './backup_verify.ts'
import { bench } from './bench.ts'
import { callerCreate } from './caller_create.ts'
import { callerDelete } from './caller_delete.ts'
import { callerDisable } from './caller_disable.ts'
import { callerEnable } from './caller_enable.ts'
import { callerList } from './caller_list.ts'
import { callerSetSpace } from './caller_set_space.ts'
import { callerShow } from './caller_show.ts'
import { configCheck } from './config_check.ts'
import { configShow } from './config_show.ts'
import { doctor } from './doctor.ts'
import { groupAdd } from './group_add.ts'
import { groupCreate } from './group_create.ts'
import { groupDelete } from './group_delete.ts'
import { groupList } from './group_list.ts'
import { groupNest } from './group_nest.ts'
import { groupRemove } from './group_remove.ts'
import { groupShow } from './group_show.ts'
import { keyCreate } from './key_create.ts'
import { keyList } from './key_list.ts'
import { keyRevoke } from './key_revoke.ts'
import { keyRotate } from './key_rotate.ts'
import { ledgerCompact } from './ledger_compact.ts'
import { ledgerExport } from './ledger_export.ts'
import { ledgerKey } from './ledger_key.ts'
import { ledgerKeyReplace } from './ledger_key_replace.ts'
import { ledgerKeyRotate } from './ledger_key_rotate.ts'
import { ledgerReceipt } from './ledger_receipt.ts'
import { ledgerReindex } from './ledger_reindex.ts'
import { ledgerShow } from './ledger_show.ts'
import { ledgerTail } from './ledger_tail.ts'
import { ledgerVerify } from './ledger_verify.ts'
import { limitSet } from './limit_set.ts'
import { limits } from './limits.ts'
import { listeners } from './listeners.ts'
import { policyApply } from './policy_apply.ts'
import { policyCheck } from './policy_check.ts'
import { policyShow } from './policy_show.ts'
import { restore } from './restore.ts'
import { roleGive } from './role_give.ts'
import { roleList } from './role_list.ts'
import { roleTake } from './role_take.ts'
import { scimToken } from './scim_token.ts'
import { spaceCreate } from './space_create.ts'
import { spaceList } from './space_list.ts'
import { spaceSet } from './space_set.ts'
import { spend } from './spend.ts'
import { tenantCreate } from './tenant_create.ts'
import { tenantList } from './tenant_list.ts'
import { tokenKeyList } from './token_key_list.ts'
import { tokenKeyRotate } from './token_key_rotate.ts'
import { up } from './up.ts'
import { why } from './why.ts'
import { witness } from './witness.ts'

/** Every command, in the order in which a newcomer meets them. */
export const COMMANDS: readonly Command[] = [
  up,
  why,
  keyCreate,
  keyList,
  keyRotate,
  keyRevoke,
  callerCreate,
  callerList,
  callerShow,
  callerDisable,
  callerEnable,
  callerSetSpace,
  callerDelete,
  groupCreate,
  groupList,
  groupShow,
  groupAdd,
  groupRemove,
  groupNest,
  groupDelete,
  roleGive,
  roleTake,
  roleList,
  spaceCreate,
  spaceList,
  spaceSet,
  tenantCreate,
  tenantList,
  scimToken,
  tokenKeyList,
  tokenKeyRotate,
  policyCheck,
  policyApply,
  policyShow,
  configCheck,
  configShow,
  limits,
  limitSet,
  spend,
  listeners,
  ledgerShow,
  ledgerVerify,
  ledgerReceipt,
  ledgerTail,
  ledgerExport,
  ledgerKey,
  ledgerKeyRotate,
  ledgerKeyReplace,
  ledgerCompact,
  ledgerReindex,
  witness,
  backup,
  backupVerify,
  restore,
  doctor,
  bench,
]
