import { EntityPart } from './entities.ts'
import { EntityAccount } from './entity_account.ts'
import { EMPTY_RECORD } from './policy_value.ts'
import type { Schema } from './schema_types.ts'

/** The actions of a schema and their groups, as entities. */
export function actionsOf({ actions }: Schema): EntityPart {
  return new EntityPart(
    actions.map(({ ref, parents }) => new EntityAccount(ref, parents, EMPTY_RECORD, EMPTY_RECORD)),
  )
}
