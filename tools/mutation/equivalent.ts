/** Changes of one file that no test can notice, for one reason. */
export interface Equivalent {
  /** Below `src/trust`. */
  readonly file: string
  readonly reason: string
  /** As the list of survivors shows them. */
  readonly changes: readonly string[]
}

/**
 * Survivors that were looked at: the changed code does the same, in more time at most. They count as survivors all the
 * same, because what is the same today need not be tomorrow.
 */
export const EQUIVALENT: readonly Equivalent[] = [
  {
    file: 'cedar/compile_expression.ts',
    reason: 'what is constant is worked out early; left to the evaluation it gives the same',
    changes: [
      '\'set\' -> ""',
      'elements === undefined -> true',
      '\'record\' -> ""',
      'values === undefined -> true',
      "case 'call': { -> case 'call':",
      '\'call\' -> ""',
      "case 'call': { -> {}",
      'parameters === undefined -> true',
      '() => callExtension(expression.name, parameters) -> () => undefined',
      'default: -> default:',
      'function constantsOf(expressions: readonly Expression[]): Value[] | undefined { -> {}',
      'value === undefined -> true',
      'value === undefined -> value !== undefined',
      'function attempt(run: () => Value): Value | undefined { -> {}',
      'try { -> {}',
      '} catch (error) { -> {}',
      'error instanceof EvaluationError -> true',
    ],
  },
  {
    file: 'cedar/compile_expression.ts',
    reason: 'two tests without a loop, which is faster than the loop that answers alike',
    changes: [
      'first !== undefined && second !== undefined && tests.length === 2 -> true',
      'first !== undefined && second !== undefined && tests.length === 2 -> false',
      'first !== undefined && second !== undefined && tests.length === 2 -> first !== undefined && second !== undefined || tests.length === 2',
      'first !== undefined && second !== undefined -> true',
      'first !== undefined && second !== undefined -> first !== undefined || second !== undefined',
      'first !== undefined -> true',
      'first !== undefined -> first === undefined',
      'second !== undefined -> true',
      'second !== undefined -> second === undefined',
      'tests.length === 2 -> true',
      'tests.length === 2 -> tests.length !== 2',
    ],
  },
  {
    file: 'cedar/decimal.ts',
    reason: 'more digits than the largest number has are beyond 64 bits, which is looked at later',
    changes: [
      'digits.length > DIGITS_MAX -> false',
      'digits.length > DIGITS_MAX -> digits.length >= DIGITS_MAX',
    ],
  },
  {
    file: 'cedar/ip_address.ts',
    reason: 'a longer text is no address, which its form tells as well',
    changes: [
      'text.length > CHARACTERS_MAX -> false',
      'text.length > CHARACTERS_MAX -> text.length >= CHARACTERS_MAX',
    ],
  },
  {
    file: 'cedar/ip_address.ts',
    reason: 'a longer prefix is a larger number, which is looked at next',
    changes: ['text.length <= String(bits).length -> true'],
  },
  {
    file: 'cedar/parse_expression.ts',
    reason: 'short integers without BigInt, and long ones without reading them; the value is the same',
    changes: [
      'digits.length <= SAFE_DIGITS -> false',
      'digits.length <= SAFE_DIGITS -> digits.length < SAFE_DIGITS',
      'short.length > DIGITS_MAX -> false',
    ],
  },
  {
    file: 'cedar/policy_cell.ts',
    reason: 'a short cut that skips look-ups which find nothing, or walks the shorter list',
    changes: [
      'seal(count: number): void { -> {}',
      'this.#keys.length <= SMALL_MAX -> true',
      'this.#keys.length <= SMALL_MAX -> false',
      'this.#keys.length <= SMALL_MAX -> this.#keys.length < SMALL_MAX',
      'this.#keys.length <= SMALL_MAX -> this.#keys.length > SMALL_MAX',
      'own.length <= keys.length -> true',
      'own.length <= keys.length -> false',
      'own.length <= keys.length -> own.length < keys.length',
      'own.length <= keys.length -> own.length > keys.length',
      'if (own.length <= keys.length) { -> {}',
      'this.#bits !== undefined && ((this.#bits[key >> BITS] ?? 0) & (1 << (key & 31))) === 0 -> false',
    ],
  },
  {
    file: 'cedar/candidates.ts',
    reason: 'rows are kept to be found again; without that they are made again',
    changes: [
      'row === undefined -> true',
      'this.#joined.size >= JOINED_MAX -> true',
      'this.#joined.size >= JOINED_MAX -> false',
      'this.#joined.size >= JOINED_MAX -> this.#joined.size > JOINED_MAX',
      'this.#joined.size >= JOINED_MAX -> this.#joined.size < JOINED_MAX',
      'this.#joined.clear() -> ;',
      'this.#joined.set(name, row) -> ;',
      'this.#known.set(actions, row) -> ;',
    ],
  },
  {
    file: 'cedar/candidates.ts',
    reason: 'the bits of a cell only skip look-ups that find nothing',
    changes: ['cell.seal(principals) -> ;'],
  },
  {
    file: 'cedar/compile_policy.ts',
    reason: 'a conjunction of one test is that test',
    changes: ['tests.length > 1 -> true', 'tests.length > 1 -> tests.length >= 1'],
  },
  {
    file: 'cedar/datetime.ts',
    reason: 'a day that a month does not have moves the month, which is looked at before',
    changes: ['date.getUTCDate() === day -> true'],
  },
  {
    file: 'cedar/datetime.ts',
    reason: 'by 1 or -1, to multiply is to divide',
    changes: [
      "(offsetHour * HOUR_MS + offsetMinute * MINUTE_MS) * (found[8] === '-' ? -1 : 1) -> (offsetHour * HOUR_MS + offsetMinute * MINUTE_MS) / (found[8] === '-' ? -1 : 1)",
    ],
  },
  {
    file: 'cedar/duration.ts',
    reason: 'more digits than the largest number has are beyond 64 bits, which is looked at later',
    changes: [
      'digits.length > DIGITS_MAX -> false',
      'digits.length > DIGITS_MAX -> digits.length >= DIGITS_MAX',
    ],
  },
  {
    file: 'cedar/entities.ts',
    reason: 'a list and a set of what is above answer alike; the size chooses the faster one',
    changes: [
      'this.refs.length <= WALKED_MAX -> true',
      'this.refs.length <= WALKED_MAX -> false',
      'this.refs.length <= WALKED_MAX -> this.refs.length < WALKED_MAX',
      'this.refs.length <= WALKED_MAX -> this.refs.length > WALKED_MAX',
      'this.#set === undefined -> true',
    ],
  },
  {
    file: 'cedar/evaluation.ts',
    reason: 'a short cut for entities that are at hand',
    changes: ['entity === this.#principal -> false', 'entity === this.#resource -> false'],
  },
  {
    file: 'cedar/long.ts',
    reason: 'the way by numbers is a short cut: exact arithmetic gives the same',
    changes: [
      "typeof left === 'number' && typeof right === 'number' -> false",
      '\'number\' -> ""',
      "if (typeof left === 'number' && typeof right === 'number') { -> {}",
      'Number.isSafeInteger(sum) -> false',
      'Number.isSafeInteger(difference) -> false',
      'Number.isSafeInteger(product) -> false',
    ],
  },
  {
    file: 'cedar/long.ts',
    reason: 'no policy can tell -0 from 0',
    changes: ['rest + 0 -> rest - 0'],
  },
  {
    file: 'cedar/parse_policy.ts',
    reason: 'nothing but what is shown of the problems depends on where it stops',
    changes: [
      'problems.length < LIMITS.policyProblems -> true',
      'problems.length < LIMITS.policyProblems -> problems.length <= LIMITS.policyProblems',
    ],
  },
  {
    file: 'cedar/policy_value.ts',
    reason: 'no policy can tell -0 from 0',
    changes: ['value + 0 -> value - 0'],
  },
  {
    file: 'cedar/policy_value.ts',
    reason: 'an empty set is an empty set, whether or not it is a shared one',
    changes: ['value.length === 0 -> false'],
  },
  {
    file: 'cedar/question_form.ts',
    reason: 'the common types without making a value; the long way answers alike',
    changes: [
      "type.kind === 'truth' -> false",
      '\'truth\' -> ""',
      "type.kind === 'text' -> false",
      '\'text\' -> ""',
      "type.kind === 'set' && Array.isArray(value) -> false",
      '\'set\' -> ""',
    ],
  },
  {
    file: 'cedar/scope_keys.ts',
    reason: 'keys are kept with an entity; without that they are worked out again',
    changes: [
      'node.above.open.length === 0 -> false',
      'aboves.length === 1 -> false',
      'cached !== undefined && cached.owner === this.#owner -> false',
      '[undefined, undefined, undefined] -> []',
      '{ owner: this.#owner, keys } -> {}',
    ],
  },
  {
    file: 'cedar/tokens.ts',
    reason: 'a mark is neither white space nor a comment, so looking finds nothing',
    changes: ["MARKS.has(first) && first !== '/' -> false"],
  },
  {
    file: 'cedar/values.ts',
    reason: 'an empty map holds nothing',
    changes: ['this.#others.size > 0 -> true', 'this.#others.size > 0 -> this.#others.size >= 0'],
  },
  {
    file: 'cedar/values.ts',
    reason: 'a larger set has an element that the smaller one lacks, which the loops find',
    changes: ['other.size > this.size -> false'],
  },
  {
    file: 'access/address_ranges.ts',
    reason: 'splitting gives one part at least',
    changes: ['\'\' -> "Stryker was here!"'],
  },
  {
    file: 'access/address_ranges.ts',
    reason: 'an address has "::ffff:" in front or not at all',
    changes: ['/^::ffff:/i -> /::ffff:/i'],
  },
  {
    file: 'access/authenticate.ts',
    reason: 'nobody sees the record that stands in for a key that does not exist: only its cost counts',
    changes: ['\'live\' -> ""'],
  },
  {
    file: 'access/caller_store.ts',
    reason: 'a function that ends without a return gives undefined',
    changes: ['} catch { -> {}'],
  },
  {
    file: 'access/key.ts',
    reason: 'a text of the length of a key has the form as a whole or not at all; either check is enough',
    changes: [
      'text.length !== KEY_LENGTH -> false',
      '/^gate_(live|test)_([0-9A-Za-z]{12})_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$/ -> /gate_(live|test)_([0-9A-Za-z]{12})_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$/',
      '/^gate_(live|test)_([0-9A-Za-z]{12})_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$/ -> /^gate_(live|test)_([0-9A-Za-z]{12})_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}/',
    ],
  },
  {
    file: 'access/key.ts',
    reason: 'a match was found before',
    changes: ['match?.[1] -> match[1]'],
  },
  {
    file: 'access/policy_state.ts',
    reason: 'a function that ends without a return gives undefined',
    changes: ['} catch { -> {}'],
  },
]
