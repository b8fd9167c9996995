/** Why a policy could not be evaluated. */
export type EvaluationReason =
  | 'wrong type'
  | 'integer overflow'
  | 'no such attribute'
  | 'no such tag'
  | 'no such entity'
  | 'extension'
  | 'wrong number of arguments'

/** A policy that throws this is skipped and reported; nothing else may come out of an evaluation. */
export class EvaluationError extends Error {
  readonly reason: EvaluationReason

  constructor(reason: EvaluationReason) {
    super(reason)
    this.name = 'EvaluationError'
    this.reason = reason
  }
}

/** One error for each reason, made once: a hostile request must not make us collect stacks. */
const ERRORS: ReadonlyMap<EvaluationReason, EvaluationError> = new Map(
  (
    [
      'wrong type',
      'integer overflow',
      'no such attribute',
      'no such tag',
      'no such entity',
      'extension',
      'wrong number of arguments',
    ] as const
  ).map((reason) => [reason, new EvaluationError(reason)]),
)

export function failEvaluation(reason: EvaluationReason): never {
  throw ERRORS.get(reason) ?? new EvaluationError(reason)
}
