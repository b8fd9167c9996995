import fs from 'node:fs'
import path from 'node:path'
import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'

/** What one run of `node --test` came to; written as JSON to the file that GATEHOUSE_TEST_REPORT names. */
export interface TestReport {
  passed: number
  failed: number
  readonly skipped: { readonly title: string; readonly reason: string }[]
}

/** A reporter for `node --test`: silent on what passes, everything about what fails. */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const sum: TestReport = { passed: 0, failed: 0, skipped: [] }
  const output = new Map<string, string>()
  for await (const event of events) {
    const text = take(event, sum, output)
    if (text !== '') yield text
  }
  const file = process.env['GATEHOUSE_TEST_REPORT']
  if (file !== undefined) fs.writeFileSync(file, JSON.stringify(sum))
}

function take({ type, data }: TestEvent, sum: TestReport, output: Map<string, string>): string {
  if (type === 'test:stdout' || type === 'test:stderr') {
    const place = path.resolve(data.file)
    output.set(place, (output.get(place) ?? '') + data.message)
    return ''
  }
  if (
    (type !== 'test:pass' && type !== 'test:fail') ||
    (type === 'test:pass' && data.details.type === 'suite')
  ) {
    return ''
  }
  const { skip, todo, name } = data
  const file = path.resolve(data.file ?? '')
  const place = `${path.relative(process.cwd(), file)}:${data.line ?? 0}`
  if (skip !== undefined || todo !== undefined) {
    sum.skipped.push({ title: `${name} (${place})`, reason: reasonOf(skip ?? todo) })
    return ''
  }
  // With isolation, a file that ran no test is reported as one passed test of that name.
  const isEmpty = type === 'test:pass' && path.resolve(name) === file
  if (type === 'test:pass' && !isEmpty) {
    sum.passed += 1
    return ''
  }
  const error = type === 'test:fail' ? data.details.error : new Error('the file ran no test')
  if ('failureType' in error && error.failureType === 'subtestsFailed') return ''
  sum.failed += 1
  const said = output.get(file) ?? ''
  output.delete(file)
  return `\nFAILED ${name} (${place})\n${indent(explain(error))}\n${said && indent(said)}`
}

function reasonOf(given: string | boolean | undefined): string {
  return typeof given === 'string' && given !== '' ? given : 'no reason given'
}

function explain(error: Error): string {
  const cause = error.cause ?? error
  const text = typeof cause === 'string' ? cause : inspect(cause)
  return text.replaceAll(/\n\s+at .*\(?node:internal.*/g, '')
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}
