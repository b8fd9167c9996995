import * as z from 'zod'
import { toNanoDollars } from '#base/nano_dollars.ts'
import { isLimit, MOST_COUNT, MOST_DOLLARS, ruleOf, type LimitName } from '#trust/access/limit_terms.ts'

const MOST_BUDGETS = 1_000
const MOST_PRICES = 1_000
/** Per million tokens; ten times the dearest there has ever been. */
const MOST_PRICE = 10_000

const count = (says: string) => z.int().min(1).max(MOST_COUNT).optional().describe(says)

const dollars = (name: LimitName, says: string) =>
  z
    .number()
    .max(MOST_DOLLARS)
    .refine((value) => isLimit(name, value), ruleOf(name))
    .optional()
    .describe(says)

const name = z.string().regex(/^[^\s\p{C}]{1,128}$/u, 'must be a name of 1 to 128 characters without spaces')

const WHO = ['key', 'caller', 'group', 'space', 'tenant'] as const

const who = z
  .strictObject({
    key: name.optional().describe('The id of one key, as "gatehouse key list" has it.'),
    caller: name.optional().describe('The name of one service or user.'),
    group: name.optional().describe('The name of a group: its members, and those of the groups in it.'),
    space: name
      .optional()
      .describe('The name of a space: who is in it, and in the spaces that inherit from it.'),
    tenant: name.optional().describe('The name of a tenant: who is in its spaces.'),
  })
  .refine((one) => WHO.filter((kind) => one[kind] !== undefined).length === 1, {
    message: `takes exactly one of ${WHO.join(', ')}`,
  })

/** `limits.budgets`. */
export const BUDGETS = z
  .array(
    z
      .strictObject({
        who: who.optional().describe('Whose requests count. Without it those of all callers together.'),
        each: z
          .enum(['caller', 'key'])
          .optional()
          .describe('Gives each caller, or each key, the whole of the limits. Without it they share them.'),
        model: z
          .string()
          .regex(/^[A-Za-z0-9._:@*-]{1,128}$/, 'must be the name of a model, with * for any characters')
          .optional()
          .describe(
            'The models whose requests count, "*" for any characters. What comes to a model by way of a pool counts too. Without it all models.',
          ),
        requests_per_minute: count('Requests in any 60 seconds.'),
        tokens_per_minute: count('Tokens, in and out, of requests that began in any 60 seconds.'),
        concurrent: count('Requests at the same time.'),
        requests_per_day: count('Requests of a day (UTC).'),
        tokens_per_day: count('Tokens, in and out, of a day (UTC).'),
        dollars_per_day: dollars('dollars_per_day', 'Dollars of a day (UTC), by the prices of this file.'),
        requests_per_month: count('Requests of a calendar month (UTC).'),
        tokens_per_month: count('Tokens, in and out, of a calendar month (UTC).'),
        dollars_per_month: dollars(
          'dollars_per_month',
          'Dollars of a calendar month (UTC), by the prices of this file.',
        ),
      })
      .refine(
        ({ who: _who, each: _each, model: _model, ...terms }) =>
          Object.values(terms).some((limit) => limit !== undefined),
        {
          message: 'limits nothing; give at least one of requests_per_minute, tokens_per_day and the like',
        },
      ),
  )
  .max(MOST_BUDGETS)
  .default([])
  .describe(
    'Limits of requests to models, all of which hold at once. What a request may take at most is reserved before it is sent, so that they cannot be overspent.',
  )

const price = z
  .number()
  .max(MOST_PRICE)
  .refine(
    (value) => toNanoDollars(value) !== undefined,
    'takes dollars, with at most six digits after the point',
  )

/** `prices`. */
export const PRICES = z
  .record(
    z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/, 'is not a name for a model'),
    z
      .array(
        z.strictObject({
          from: z
            .string()
            .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date such as 2027-01-31')
            .refine((text) => isDate(text), 'must be a date that exists')
            .describe('The day (00:00 UTC) from which on these prices hold.'),
          input: price.describe('Dollars per million tokens of input.'),
          output: price.describe('Dollars per million tokens of output, what the model thinks included.'),
          cached_input: price
            .optional()
            .describe(
              'Dollars per million tokens of input that came from a cache. Without it the price of input.',
            ),
          cache_write: price
            .optional()
            .describe(
              'Dollars per million tokens of input that went into a cache; the dearest where there are several. Without it the price of input.',
            ),
        }),
      )
      .min(1)
      .max(MOST_PRICES)
      .describe('The prices of one model, each with the day from which on it holds.')
      .refine((prices) => new Set(prices.map(({ from }) => from)).size === prices.length, {
        message: 'has two prices from the same day',
      }),
  )
  .default({})
  .describe(
    'What models cost, by their names in this file. The price of the day counts, so add a line when a price changes and leave the old ones. A pool costs what the member costs that answers.',
  )

// Date.parse takes 2027-02-30 for the second of March.
function isDate(text: string): boolean {
  const ms = Date.parse(text)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text)
}
