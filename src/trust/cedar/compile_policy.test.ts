import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { compilePolicy, runPolicy } from './compile_policy.ts'
import { EntityPart, EntityStore } from './entities.ts'
import { Evaluation } from './evaluation.ts'
import { parsePolicies } from './parse_policy.ts'
import { EMPTY_RECORD } from './policy_value.ts'

const EVALUATION = new Evaluation(
  {
    principal: { type: 'User', id: 'ann' },
    action: { type: 'Action', id: 'read' },
    resource: { type: 'Doc', id: 'd' },
    context: () => EMPTY_RECORD,
  },
  new EntityStore([], new EntityPart([])),
)

/** What is left of a policy once its keys are met. */
function run(text: string): boolean | undefined {
  const { policies, problems } = parsePolicies(text)
  const [policy] = policies
  assert.ok(policy !== undefined && problems.length === 0, text)
  return runPolicy(compilePolicy('id', policy), EVALUATION)
}

suite('compilePolicy', () => {
  test('runPolicy holds where types and all conditions do, and tells an error from both', () => {
    const rows: readonly (readonly [why: string, text: string, result: boolean | undefined])[] = [
      ['nothing but keys', 'permit (principal, action, resource);', true],
      ['the type of the principal', 'permit (principal is User in G::"g", action, resource);', true],
      ['another type', 'permit (principal is Doc in G::"g", action, resource);', false],
      ['the type of the resource', 'permit (principal, action, resource is Doc in G::"g");', true],
      ['another type of resource', 'permit (principal, action, resource is User in G::"g");', false],
      ['both types', 'permit (principal is User in G::"g", action, resource is Doc in G::"g");', true],
      ['one of both', 'permit (principal is User in G::"g", action, resource is User in G::"g");', false],
      ['when', 'permit (principal, action, resource) when { true };', true],
      ['when not', 'permit (principal, action, resource) when { false };', false],
      ['unless', 'permit (principal, action, resource) unless { false };', true],
      ['unless it is so', 'permit (principal, action, resource) unless { true };', false],
      ['two conditions', 'permit (principal, action, resource) when { true } when { false };', false],
      ['when and unless', 'permit (principal, action, resource) when { true } unless { true };', false],
      [
        'three conditions',
        'permit (principal, action, resource) when { true } when { true } unless { false };',
        true,
      ],
      ['an error', 'permit (principal, action, resource) when { context.none };', undefined],
      ['an error in unless', 'permit (principal, action, resource) unless { context.none };', undefined],
      [
        'false before an error',
        'permit (principal, action, resource) when { false } when { context.none };',
        false,
      ],
      ['no truth', 'permit (principal, action, resource) when { 1 };', undefined],
    ]
    for (const [why, text, result] of rows) assert.equal(run(text), result, why)
  })

  test('runPolicy lets through what is no error of the evaluation', () => {
    const fault = new TypeError('a fault of ours')
    const { policies } = parsePolicies('permit (principal, action, resource);')
    const [policy] = policies
    assert.ok(policy !== undefined)
    const broken = {
      ...compilePolicy('id', policy),
      test: (): never => {
        throw fault
      },
    }
    assert.throws(() => runPolicy(broken, EVALUATION), fault)
  })
})
