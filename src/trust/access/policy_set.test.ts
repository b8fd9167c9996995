import assert from 'node:assert/strict'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { printRef, type PolicyEngine, type PolicyProblem, type Question } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { NODE_FILES } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { openPolicies, type PolicyKeeper } from './policy_set.ts'

/**
 * The smallest language of policies: each line is `permit WHO` or `forbid WHO`, where `*` is everyone. What is tested
 * here is the keeping of sets; Cedar's own meaning is tested with its engine.
 */
const LINES: PolicyEngine = {
  name: 'lines',
  compile: (files, set) => {
    const rules = files.flatMap(({ name, text }) =>
      text.split('\n').map((line, index) => ({
        file: name,
        line: index + 1,
        rule: /^(permit|forbid) (\*|[A-Za-z:"]+)$/.exec(line),
      })),
    )
    const problems: PolicyProblem[] = rules
      .filter(({ rule }) => rule === null)
      .map(({ file, line }) => ({ file, line, column: 1, message: 'not a rule' }))
    if (problems.length > 0) return { kind: 'bad', problems }
    const matches = (effect: string, who: string): boolean =>
      rules.some(({ rule }) => rule?.[1] === effect && (rule[2] === '*' || rule[2] === who))
    const allows = (who: string): boolean => matches('permit', who) && !matches('forbid', who)
    return {
      kind: 'good',
      policies: rules.map(({ file, line }) => `${file}#${line}`),
      decider: {
        set,
        decide: (question) => ({
          effect: allows(printRef(question.principal)) ? 'allow' : 'deny',
          policies: [],
          errors: [],
          set,
          entities: '',
        }),
      },
    }
  },
}

const OPERATOR = 'permit System::"operator"'
const DEMO: Question = {
  principal: { type: 'Service', id: 'demo' },
  action: { type: 'Action', id: 'model:infer' },
  resource: { type: 'Model', id: 'echo' },
  context: {},
  entities: [],
}

class Home {
  readonly folder = fs.mkdtempSync(join(tmpdir(), 'gatehouse-policies-'))
  readonly directory = join(this.folder, 'policies')
  readonly stateDirectory = join(this.folder, 'policy')

  constructor(t: TestContext) {
    fs.mkdirSync(this.directory)
    t.after(() => fs.rmSync(this.folder, { recursive: true, force: true }))
  }

  write(name: string, text: string): void {
    fs.writeFileSync(join(this.directory, name), text)
  }

  open(schema = 'schema 1', files = NODE_FILES): Promise<PolicyKeeper> {
    const { directory, stateDirectory } = this
    return openPolicies({ directory, stateDirectory, engine: LINES, schema, files })
  }

  /** A home in which the working files were applied. */
  static async applied(t: TestContext, text = `${OPERATOR}\npermit *`): Promise<Home> {
    const home = new Home(t)
    home.write('default.cedar', text)
    const keeper = await home.open()
    assert.ok(keeper.starting !== undefined)
    await keeper.swap(keeper.starting)
    return home
  }
}

const effect = (keeper: PolicyKeeper): string => keeper.current().decide(DEMO).effect

suite('openPolicies', () => {
  test('openPolicies has nothing in force in a new home until the change was recorded and swapped in', async (t) => {
    const home = new Home(t)
    home.write('default.cedar', `${OPERATOR}\npermit *`)
    const keeper = await home.open()
    assert.throws(() => keeper.current(), { code: 'policy.unavailable' })
    assert.equal(keeper.status().healthy, false)
    assert.ok(keeper.starting !== undefined)
    assert.equal(keeper.starting.before, undefined)
    await keeper.swap(keeper.starting)
    assert.equal(keeper.starting, undefined)
    assert.equal(effect(keeper), 'allow')
    const { set, source, healthy, files, problems } = keeper.status()
    assert.match(set ?? '', /^[0-9a-f]{64}$/)
    assert.deepEqual([source, healthy, problems], ['working files', true, []])
    assert.deepEqual(
      files.map(({ name }) => name),
      ['default.cedar'],
    )
  })

  test('openPolicies puts working files in force at once when they were applied last', async (t) => {
    const home = await Home.applied(t)
    const keeper = await home.open()
    assert.equal(keeper.starting, undefined)
    assert.equal(keeper.status().source, 'working files')
    assert.equal(effect(keeper), 'allow')
  })

  test('openPolicies keeps the last good set when working files differ, until they are swapped in', async (t) => {
    const home = await Home.applied(t)
    home.write('stop.cedar', 'forbid Service::"demo"')
    const keeper = await home.open()
    assert.equal(effect(keeper), 'allow')
    assert.equal(keeper.status().source, 'last good')
    assert.ok(keeper.starting !== undefined)
    assert.equal(keeper.starting.before, keeper.current().set)
    await keeper.swap(keeper.starting)
    assert.equal(effect(keeper), 'deny')
  })

  test('openPolicies stays with the last good set when working files are bad', async (t) => {
    const rows: readonly (readonly [why: string, spoil: (home: Home) => void, file: string])[] = [
      ['a broken file', (home) => home.write('default.cedar', 'permit ('), 'default.cedar'],
      ['one broken file of two', (home) => home.write('more.cedar', '?'), 'more.cedar'],
      ['no files', (home) => fs.rmSync(join(home.directory, 'default.cedar')), ''],
      ['no folder', (home) => fs.rmSync(home.directory, { recursive: true }), ''],
      [
        'a link that leads out',
        (home) => fs.symlinkSync('/etc/passwd', join(home.directory, 'x.cedar')),
        'x.cedar',
      ],
      ['a set without a way back', (home) => home.write('default.cedar', 'permit Service::"demo"'), ''],
      ['a forbid in the way back', (home) => home.write('more.cedar', 'forbid System::"operator"'), ''],
    ]
    for (const [why, spoil, file] of rows) {
      const home = await Home.applied(t)
      const before = (await home.open()).current().set
      spoil(home)
      const keeper = await home.open()
      assert.equal(keeper.current().set, before, why)
      assert.equal(effect(keeper), 'allow', why)
      const { healthy, source, problems } = keeper.status()
      assert.deepEqual([healthy, source, problems[0]?.file], [false, 'last good', file], why)
    }
  })

  test('openPolicies refuses everything with no good set: no files and no last good one', async (t) => {
    const rows: readonly (readonly [why: string, spoil: (state: string) => void])[] = [
      ['gone', (state) => fs.rmSync(state)],
      ['cut short', (state) => fs.truncateSync(state, 40)],
      [
        'changed',
        (state) => fs.writeFileSync(state, fs.readFileSync(state, 'utf8').replace('permit *', 'permit x')),
      ],
      ['of another version', (state) => fs.writeFileSync(state, '{"v":2}')],
      ['no JSON', (state) => fs.writeFileSync(state, 'x')],
      ['another JSON', (state) => fs.writeFileSync(state, '[1]')],
      ['without files', (state) => fs.writeFileSync(state, '{"v":1,"set":"a","schema":"b","files":3}')],
      [
        'with strange files',
        (state) => fs.writeFileSync(state, '{"v":1,"set":"a","schema":"b","files":[1,{}]}'),
      ],
    ]
    for (const [why, spoil] of rows) {
      const home = await Home.applied(t)
      home.write('default.cedar', 'permit (')
      spoil(join(home.stateDirectory, 'last_good.json'))
      const keeper = await home.open()
      assert.throws(() => keeper.current(), { code: 'policy.unavailable' }, why)
      assert.deepEqual([keeper.status().healthy, keeper.status().set], [false, undefined], why)
    }
  })

  test('openPolicies takes the last good set under a new schema, as a set of another hash', async (t) => {
    const home = await Home.applied(t)
    const before = (await home.open()).current().set
    home.write('default.cedar', 'permit (')
    const keeper = await home.open('schema 2')
    assert.equal(effect(keeper), 'allow')
    assert.notEqual(keeper.current().set, before)
  })

  test('check tells what the files are and changes nothing', async (t) => {
    const home = await Home.applied(t)
    const keeper = await home.open()
    home.write('more.cedar', 'permit (\npermit x\n)')
    const before = keeper.status()
    const bad = await keeper.check()
    assert.equal(bad.set, undefined)
    assert.deepEqual(
      bad.problems.map(({ file, line }) => [file, line]),
      [
        ['more.cedar', 1],
        ['more.cedar', 3],
      ],
    )
    home.write('more.cedar', 'permit Service::"other"')
    const good = await keeper.check()
    assert.match(good.set ?? '', /^[0-9a-f]{64}$/)
    assert.notEqual(good.set, before.set)
    assert.deepEqual(good.policies, ['default.cedar#1', 'default.cedar#2', 'more.cedar#1'])
    assert.deepEqual(
      good.files.map(({ name }) => name),
      ['default.cedar', 'more.cedar'],
    )
    assert.deepEqual(keeper.status(), before)
    assert.deepEqual(fs.readdirSync(home.stateDirectory), ['last_good.json'])
  })

  test('prepare refuses a bad set: the one in force stays, and the door is degraded until a good one', async (t) => {
    const home = await Home.applied(t)
    const keeper = await home.open()
    const { set } = keeper.status()
    home.write('more.cedar', Array.from({ length: LIMITS.policyProblems + 7 }, () => '?').join('\n'))
    await assert.rejects(keeper.prepare(), (thrown) => {
      assert.ok(thrown instanceof Fault && thrown.code === 'policy.invalid')
      const { problems, count } = thrown.detail
      assert.ok(Array.isArray(problems) && problems.length === LIMITS.policyProblems)
      assert.equal(count, LIMITS.policyProblems + 7)
      assert.match(thrown.say ?? '', /more\.cedar:1:1/)
      return true
    })
    assert.deepEqual([keeper.status().healthy, keeper.status().set], [false, set])
    home.write('more.cedar', 'forbid System::"operator"')
    await assert.rejects(keeper.prepare(), { code: 'policy.locking' })
    assert.deepEqual([keeper.status().healthy, keeper.status().set], [false, set])
    fs.rmSync(join(home.directory, 'more.cedar'))
    const candidate = await keeper.prepare()
    assert.deepEqual([candidate.set, candidate.before], [set, set])
    await keeper.swap(candidate)
    assert.deepEqual(keeper.status().problems, [])
    assert.equal(keeper.status().healthy, true)
  })

  test('prepare makes the door healthy again when the files were mended back: nothing needs to be swapped', async (t) => {
    const home = await Home.applied(t)
    home.write('more.cedar', '?')
    const keeper = await home.open()
    assert.deepEqual([keeper.status().source, keeper.status().healthy], ['last good', false])
    fs.rmSync(join(home.directory, 'more.cedar'))
    const candidate = await keeper.prepare()
    assert.equal(candidate.set, candidate.before)
    assert.deepEqual([keeper.status().source, keeper.status().healthy], ['working files', true])
  })

  test('swap puts in force what was prepared, not what the files hold by then', async (t) => {
    const home = await Home.applied(t)
    const keeper = await home.open()
    home.write('stop.cedar', 'forbid Service::"demo"')
    const candidate = await keeper.prepare()
    assert.equal(effect(keeper), 'allow', 'preparing changes nothing')
    home.write('stop.cedar', 'permit (')
    await keeper.swap(candidate)
    assert.equal(effect(keeper), 'deny')
    assert.equal(keeper.current().set, candidate.set)
    assert.equal(effect(await home.open()), 'deny', 'and it is the last good one')
  })

  test('swap takes nothing that was not prepared here, and nothing out of date', async (t) => {
    const home = await Home.applied(t)
    const keeper = await home.open()
    home.write('stop.cedar', 'forbid Service::"demo"')
    const first = await keeper.prepare()
    home.write('stop.cedar', 'forbid Service::"other"')
    const second = await keeper.prepare()
    await assert.rejects(keeper.swap({ ...first }), { code: 'internal.bug' })
    await assert.rejects((await home.open()).swap(first), { code: 'internal.bug' })
    const swaps = await Promise.allSettled([keeper.swap(first), keeper.swap(second)])
    assert.deepEqual(
      swaps.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
    assert.equal(keeper.current().set, first.set)
  })

  test('swap leaves the set in force when the disk refuses', async (t) => {
    const home = await Home.applied(t)
    const full = {
      ...NODE_FILES,
      rename: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })),
    }
    const keeper = await home.open('schema 1', full)
    home.write('stop.cedar', 'forbid Service::"demo"')
    const candidate = await keeper.prepare()
    await assert.rejects(keeper.swap(candidate), { code: 'home.unwritable' })
    assert.equal(effect(keeper), 'allow')
    const again = await home.open()
    assert.equal(effect(again), 'allow', 'nor is it kept')
  })

  test('openPolicies says when the disk cannot be read, and does not call that a new home', async (t) => {
    const home = await Home.applied(t)
    const broken = {
      ...NODE_FILES,
      read: () => Promise.reject(Object.assign(new Error('bad'), { code: 'EIO' })),
    }
    await assert.rejects(home.open('schema 1', broken), { code: 'home.unwritable' })
  })

  test('the hash of a set covers names, texts and schema', async (t) => {
    const hashes = new Set<string | undefined>()
    const rows: readonly (readonly [files: Readonly<Record<string, string>>, schema: string])[] = [
      [{ 'a.cedar': OPERATOR }, '1'],
      [{ 'b.cedar': OPERATOR }, '1'],
      [{ 'a.cedar': `${OPERATOR}\npermit x` }, '1'],
      [{ 'a.cedar': OPERATOR, 'b.cedar': 'permit x' }, '1'],
      [{ 'a.cedar': 'permit x', 'b.cedar': OPERATOR }, '1'],
      [{ 'a.cedar': OPERATOR }, '2'],
    ]
    for (const [files, schema] of rows) {
      const home = new Home(t)
      for (const [name, text] of Object.entries(files)) home.write(name, text)
      hashes.add((await (await home.open(schema)).check()).set)
    }
    assert.equal(hashes.size, rows.length)
    assert.ok(!hashes.has(undefined))
  })

  test('watch tells when the working files changed', async (t) => {
    const home = await Home.applied(t)
    const keeper = await home.open()
    const heard = Promise.withResolvers<void>()
    const stop = keeper.watch(heard.resolve)
    const alive = setInterval(() => undefined, 1_000)
    home.write('more.cedar', 'permit x')
    await heard.promise
    stop()
    clearInterval(alive)
  })

  test('openPolicies has nothing in force when the engine of today does not take the last good set', async (t) => {
    const home = await Home.applied(t)
    home.write('default.cedar', 'permit (')
    const problems = [{ file: 'default.cedar', line: 1, column: 1, message: 'no longer a rule' }]
    const engine: PolicyEngine = { name: 'strict', compile: () => ({ kind: 'bad', problems }) }
    const { directory, stateDirectory } = home
    const keeper = await openPolicies({ directory, stateDirectory, engine, schema: 's', files: NODE_FILES })
    assert.throws(() => keeper.current(), { code: 'policy.unavailable' })
    assert.equal(keeper.starting, undefined)
    assert.deepEqual(keeper.status(), {
      set: undefined,
      source: undefined,
      healthy: false,
      files: [],
      problems,
    })
  })

  test('prepare asks whether the operator could change policies on the admin socket, with the facts of both sides', async (t) => {
    const home = await Home.applied(t)
    const asked: Question[] = []
    const engine: PolicyEngine = {
      name: 'listening',
      compile: (_files, set) => ({
        kind: 'good',
        policies: [],
        decider: {
          set,
          decide: (question) => {
            asked.push(question)
            return { effect: 'allow', policies: [], errors: [], set, entities: '' }
          },
        },
      }),
    }
    const { directory, stateDirectory } = home
    const keeper = await openPolicies({ directory, stateDirectory, engine, schema: 's', files: NODE_FILES })
    await keeper.prepare()
    const question = asked.at(-1)
    assert.ok(question !== undefined)
    assert.equal(printRef(question.principal), 'System::"operator"')
    assert.equal(printRef(question.action), 'Action::"policy:change"')
    assert.equal(printRef(question.resource), 'System::"gatehouse"')
    assert.deepEqual(question.context, {
      findings: [],
      via_key: false,
      assurance: { aal: 1, via: 'socket', binding: 'none', amr: [], actors: [] },
    })
    assert.deepEqual(
      question.entities.flat().map(({ ref }) => printRef(ref)),
      ['System::"operator"', 'System::"gatehouse"'],
    )
  })

  test('prepare tells of a folder that is gone, and of each problem with its place', async (t) => {
    const home = await Home.applied(t)
    const keeper = await home.open()
    home.write('default.cedar', 'permit (')
    const problem = { file: 'default.cedar', line: 1, column: 1, message: 'not a rule' }
    await assert.rejects(keeper.prepare(), {
      code: 'policy.invalid',
      detail: { problems: [problem], count: 1 },
      say: 'default.cedar:1:1 is not valid.',
    })
    fs.rmSync(home.directory, { recursive: true })
    await assert.rejects(keeper.prepare(), {
      code: 'policy.invalid',
      say: 'The policies folder is not valid.',
    })
  })

  test('swap of a set that was prepared before another one came into force is a conflict of the asker, not a fault', async (t) => {
    const home = await Home.applied(t)
    const keeper = await home.open()
    home.write('stop.cedar', 'forbid Service::"demo"')
    const [first, second] = [await keeper.prepare(), await keeper.prepare()]
    await keeper.swap(first)
    await assert.rejects(keeper.swap(second), { code: 'policy.invalid' })
    assert.equal(keeper.current().set, first.set)
  })
})
