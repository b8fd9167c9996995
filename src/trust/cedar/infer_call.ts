import type { Capabilities } from './capabilities.ts'
import { describeType } from './describe_type.ts'
import { EvaluationError } from './evaluation_error.ts'
import { EXTENSION_FUNCTIONS } from './extension_names.ts'
import { EXTENSION_SIGNATURES } from './extension_types.ts'
import { callExtension } from './extensions.ts'
import { plain, refuseType, type Inference, type Inferred } from './inference.ts'
import { joinTypes } from './join_types.ts'
import type { Expression } from './syntax.ts'
import { SyntaxProblem } from './syntax_problem.ts'

type CallExpression = Extract<Expression, { readonly kind: 'call' }>

/** Functions and methods of extension types. */
export function inferCall(expression: CallExpression, known: Capabilities, inference: Inference): Inferred {
  const { name, parameters, at } = expression
  const signature = EXTENSION_SIGNATURES.get(name)
  if (signature === undefined) throw new SyntaxProblem(at, `there is no function ${name}`)
  const { parameters: wanted, result } = signature
  if (parameters.length !== wanted.length)
    throw new SyntaxProblem(at, `${name} expected ${wanted.length} operands, found ${parameters.length}`)
  for (const [index, parameter] of parameters.entries()) {
    const { type } = inference.infer(parameter, known)
    const fits = wanted[index] ?? result
    if (joinTypes(fits, type) === undefined) refuseType(parameter.at, describeType(fits), type)
  }
  if (EXTENSION_FUNCTIONS.has(name)) mustBeLiteral(expression)
  return plain(result)
}

/** What a text makes is known only where the text is: another one could be no address, and err in a request. */
function mustBeLiteral({ name, parameters: [parameter], at }: CallExpression): void {
  if (parameter?.kind !== 'literal' || typeof parameter.value !== 'string')
    throw new SyntaxProblem(parameter?.at ?? at, `${name} expected a text between quotes`)
  try {
    callExtension(name, [parameter.value])
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error
    throw new SyntaxProblem(parameter.at, `${name} expected another text: this one says no ${name}`)
  }
}
