import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Question } from '#base/decider.ts'
import { Metrics } from '#base/metrics.ts'
import { Sealed } from '#base/sealed.ts'
import { proven, CALLER } from '../../../../test/support/door_parts.ts'
import { plantedSecrets } from '../../../../test/support/planted_secrets.ts'
import { ask, modelsScene, type ModelsScene, type Said } from '../../../../test/support/models_scene.ts'
import {
  breaking,
  failing,
  saying,
  silent,
  startSwitchedUpstream,
  type SwitchedBehaviour,
  type SwitchedUpstream,
} from '../../../../test/fakes/switched_upstream.ts'
import { inferRoute } from '../infer_route.ts'
import { CHAT } from '../infer_routes.ts'
import { listRoute } from '../list.ts'
import type { ModelSettings } from '../provider.ts'
import type { MemberSettings, PoolSettings } from './pool_settings.ts'

interface PoolScene {
  readonly scene: ModelsScene
  readonly metrics: Metrics
  readonly members: readonly SwitchedUpstream[]
  /** Asks the pool and gives what it said, in short: the content of an answer, or the code of a refusal. */
  say(extra?: object): Promise<string>
  whole(extra?: object, incoming?: Parameters<typeof ask>[2]): Promise<Said>
  /** Facts of the last outcome. */
  facts(): Record<string, unknown>
  metric(line: string): number
}

interface PoolChanges {
  readonly pool?: Partial<PoolSettings>
  readonly settings?: Partial<ModelSettings>
  readonly member?: (at: number) => Partial<ModelSettings>
  readonly ofPool?: (at: number) => Partial<MemberSettings>
  readonly allows?: (question: Question) => boolean
  readonly random?: () => number
}

const BREAKER = { failures: 3, failurePercent: 100, windowMs: 10_000, openMs: 1_000 }
const NAMES = ['a', 'b', 'c']

function sceneOf(members: readonly SwitchedUpstream[], metrics: Metrics, changes: PoolChanges): ModelsScene {
  const { allows, random } = changes
  return modelsScene({
    models: [
      ...members.map(({ origin }, at) => ({
        name: NAMES[at] ?? '',
        baseUrl: `${origin}/v1`,
        ...changes.member?.(at),
      })),
      {
        name: 'main',
        provider: 'pool',
        pool: {
          members: members.map((_, at) => ({
            model: NAMES[at] ?? '',
            weight: 1,
            probe: undefined,
            ...changes.ofPool?.(at),
          })),
          choose: 'order',
          tries: 3,
          breaker: BREAKER,
          ...changes.pool,
        },
        ...changes.settings,
      },
    ],
    metrics,
    ...(allows === undefined ? {} : { allows }),
    ...(random === undefined ? {} : { random }),
  })
}

/** A pool of models `a`, `b`, … that are fake providers with these behaviours. */
async function withPool(
  behaviours: readonly SwitchedBehaviour[],
  tell: (pool: PoolScene) => Promise<void>,
  changes: PoolChanges = {},
): Promise<void> {
  const members = await Promise.all(behaviours.map((behaviour) => startSwitchedUpstream(behaviour)))
  const metrics = new Metrics()
  let scene: ModelsScene | undefined
  try {
    scene = sceneOf(members, metrics, changes)
    await tell(poolScene(scene, metrics, members))
  } finally {
    await scene?.close()
    await Promise.all(members.map((member) => member.close()))
  }
}

function poolScene(scene: ModelsScene, metrics: Metrics, members: readonly SwitchedUpstream[]): PoolScene {
  const route = inferRoute(scene.catalogue, CHAT)
  const whole: PoolScene['whole'] = async (extra = {}, incoming = {}) => {
    const body = { model: 'main', messages: [{ role: 'user', content: 'hello' }], ...extra }
    return ask(scene, route, { body, ...incoming })
  }
  const lineOf = (name: string): string | undefined =>
    metrics
      .expose()
      .split('\n')
      .find((one) => one.startsWith(`${name} `))
  return {
    scene,
    metrics,
    members,
    whole,
    say: async (extra) => inShort(await whole(extra)),
    facts: () => scene.recorder.entries.findLast(({ kind }) => kind === 'outcome')?.fields ?? {},
    metric: (name) => Number(lineOf(name)?.split(' ').at(-1)),
  }
}

function inShort(said: Said): string {
  if (said.kind === 'refusal') return said.code
  if (said.kind === 'stream') return inShortOf(said.text)
  return (
    (JSON.parse(said.json) as { choices: { message: { content: string } }[] }).choices[0]?.message.content ??
    ''
  )
}

/** What a client puts together of a stream, with the code of its error and its end. */
function inShortOf(stream: string): string {
  const parts = [...stream.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => {
    if (data === '[DONE]') return data
    const { choices, error } = JSON.parse(data) as {
      choices?: { delta: { content?: string } }[]
      error?: { code: string }
    }
    return error?.code ?? choices?.[0]?.delta.content ?? ''
  })
  return parts.join('')
}

function asked(members: readonly SwitchedUpstream[]): readonly number[] {
  return members.map(({ received }) => received.length)
}

const FAULTY: readonly (readonly [why: string, behaviour: SwitchedBehaviour])[] = [
  ['fails', failing(503)],
  ['breaks off before its answer', (response) => response.destroy()],
  [
    'breaks off in its answer',
    (response) => response.writeHead(200, { 'content-length': 9 }).write('{', () => response.destroy()),
  ],
  ['limits', failing(429)],
]

for (const [why, behaviour] of FAULTY) {
  test(`a pool asks the second where the first ${why}`, async () => {
    await withPool([behaviour, saying('from b')], async ({ say, members, facts, metric }) => {
      assert.equal(await say(), 'from b')
      assert.deepEqual(asked(members), [1, 1])
      const { model, tries, provider, status } = facts()
      assert.deepEqual(
        { model, tries, provider, status },
        { model: 'b', tries: 2, provider: 'openai', status: 200 },
      )
      assert.equal(metric('gatehouse_upstream_retries_total{pool="main",model="b"}'), 1)
      assert.equal(metric('gatehouse_upstream_fallbacks_total{pool="main",model="b"}'), 1)
    })
  })
}

test('a pool answers under its own name, whole and streamed', async () => {
  await withPool([saying('one')], async ({ whole, facts }) => {
    const said = await whole()
    assert.ok(said.kind === 'answer')
    assert.equal((JSON.parse(said.json) as { model: string }).model, 'main')
    assert.equal(facts()['tokens_out'], 2)
    const streamed = await whole({ stream: true })
    assert.ok(streamed.kind === 'stream')
    assert.match(streamed.text, /"model":"main"/)
    assert.doesNotMatch(streamed.text, /"model":"(?:x|a)"/)
    assert.match(streamed.text, /\[DONE\]/)
    const { model, tries } = facts()
    assert.deepEqual({ model, tries }, { model: 'a', tries: 1 })
  })
})

test('a pool asks the second where the first says nothing in time', async () => {
  const member = (at: number) => (at === 0 ? { timeoutMs: 150 } : {})
  await withPool([silent, saying('from b')], async ({ say }) => assert.equal(await say(), 'from b'), {
    member,
  })
})

test('a pool asks the second where the first sends no headers in its time for them', async () => {
  const member = (at: number) =>
    at === 0 ? { phases: { connectMs: undefined, firstByteMs: 100, idleMs: undefined } } : {}
  await withPool([silent, saying('from b')], async ({ say }) => assert.equal(await say(), 'from b'), {
    member,
  })
})

const FINAL: readonly (readonly [why: string, behaviour: SwitchedBehaviour, code: string])[] = [
  ['it rejects the request', failing(400), 'upstream.rejected'],
  ['it does not take our key', failing(401), 'upstream.unauthorized'],
  ['it answers what cannot be read', (response) => response.end('<html>'), 'upstream.invalid'],
]

for (const [why, behaviour, code] of FINAL) {
  test(`a pool asks nobody else where that would not help: ${why}`, async () => {
    await withPool([behaviour, saying('from b')], async ({ say, members, facts }) => {
      assert.equal(await say(), code)
      assert.deepEqual(asked(members), [1, 0])
      assert.equal(facts()['model'], 'a')
    })
  })
}

test('a pool asks so many times and no more, and tells the last fault', async () => {
  await withPool(
    [failing(500), failing(503), failing(500)],
    async ({ say, members, facts }) => {
      assert.equal(await say(), 'upstream.failed')
      assert.deepEqual(asked(members), [1, 1, 0])
      assert.deepEqual([facts()['tries'], facts()['model']], [2, 'b'])
    },
    { pool: { tries: 2 } },
  )
})

test('a pool asks the only member again, after a while', async () => {
  let calls = 0
  const once: SwitchedBehaviour = (response, body) => {
    calls += 1
    if (calls === 1) failing(500)(response, body)
    else saying('back')(response, body)
  }
  await withPool([once], async ({ say, facts }) => {
    assert.equal(await say(), 'back')
    assert.equal(facts()['tries'], 2)
  })
})

test('a pool leaves a member that limits alone for as long as it said', async () => {
  await withPool(
    [failing(429, { 'retry-after': '7' }), saying('from b')],
    async ({ say, members, scene, facts }) => {
      for (let at = 0; at < 3; at++) assert.equal(await say(), 'from b')
      assert.deepEqual(asked(members), [1, 3])
      assert.equal(facts()['tries'], 1)
      members[0]?.does(saying('from a'))
      scene.clock.advance(6_999)
      assert.equal(await say(), 'from b')
      scene.clock.advance(1)
      assert.equal(await say(), 'from a')
    },
  )
})

test('a pool says how long to wait where all members limit', async () => {
  const wait = (seconds: number) => failing(429, { 'retry-after': String(seconds) })
  await withPool([wait(9), wait(99_999)], async ({ say, whole, members, scene }) => {
    assert.equal(await say(), 'upstream.limited')
    const said = await whole()
    assert.ok(said.kind === 'refusal')
    assert.deepEqual([said.code, said.fault.retryAfterSeconds], ['upstream.limited', 9])
    // What a provider may ask for has an end.
    scene.clock.advance(9_000)
    assert.equal(await say(), 'upstream.limited')
    assert.deepEqual(asked(members), [2, 1])
    scene.clock.advance(291_000)
    assert.equal(await say(), 'upstream.limited')
    assert.deepEqual(asked(members), [3, 2])
  })
})

test('a pool opens the breaker of a member that fails, and lets one call try it after a while', async () => {
  await withPool([failing(500), saying('from b')], async ({ say, members, scene, metric }) => {
    for (let at = 0; at < 5; at++) assert.equal(await say(), 'from b')
    assert.deepEqual(asked(members), [3, 5])
    const state = (of: string) => metric(`gatehouse_upstream_state{pool="main",model="a",state="${of}"}`)
    assert.deepEqual([state('closed'), state('open'), state('half_open')], [0, 1, 0])
    scene.clock.advance(1_000)
    assert.equal(await say(), 'from b')
    assert.deepEqual(asked(members), [4, 6])
    members[0]?.does(saying('from a'))
    scene.clock.advance(1_999)
    assert.equal(await say(), 'from b')
    scene.clock.advance(1)
    assert.equal(await say(), 'from a')
    assert.deepEqual([state('closed'), state('open'), state('half_open')], [1, 0, 0])
  })
})

test('a pool whose breakers are all open asks nobody', async () => {
  await withPool([failing(500)], async ({ say, whole, members }) => {
    assert.equal(await say(), 'upstream.failed')
    const before = asked(members)
    const said = await whole()
    assert.ok(said.kind === 'refusal')
    assert.deepEqual(
      [said.code, said.fault.detail['reason'], said.fault.retryAfterSeconds],
      ['upstream.failed', 'no_member', 1],
    )
    assert.deepEqual(asked(members), before)
  })
})

test('a pool lets one call at once try a member that failed', async () => {
  await withPool([failing(500), saying('from b')], async ({ say, members, scene }) => {
    for (let at = 0; at < 3; at++) await say()
    members[0]?.does((response, body) => setTimeout(() => saying('from a')(response, body), 30))
    scene.clock.advance(1_000)
    const said = await Promise.all(Array.from({ length: 10 }, () => say()))
    assert.deepEqual(said.filter((one) => one === 'from a').length, 1)
    assert.equal(members[0]?.received.length, 4)
  })
})

test('a pool stays within the budget of its retries, however many requests fail', async () => {
  const requests = 200
  let calls = 0
  // Too seldom for the breaker.
  const half: SwitchedBehaviour = (response, body) => {
    calls += 1
    if (calls % 2 === 0) saying('from a')(response, body)
    else failing(500)(response, body)
  }
  await withPool([half, saying('from b')], async ({ say, members }) => {
    const said: string[] = []
    for (let at = 0; at < requests; at++) said.push(await say())
    const [a, b = 0] = asked(members)
    assert.equal(a, requests)
    assert.ok(b >= 10 && b <= 10 + requests / 10, String(b))
    assert.equal(said.filter((one) => one === 'upstream.failed').length, requests / 2 - b)
  })
})

test('a pool asks again where a stream breaks off before its first frame', async () => {
  await withPool([breaking([], 'cut'), saying('from b')], async ({ say, facts }) => {
    assert.equal(await say({ stream: true }), 'hello from b[DONE]')
    assert.deepEqual([facts()['model'], facts()['tries']], ['b', 2])
  })
})

test('a pool asks nobody else where a stream breaks off after its first frame: it ends as its format does', async () => {
  const choices = [failing(500), breaking(['begun, ', 'and more, '], 'cut'), saying('from c')]
  await withPool(choices, async ({ say, members, facts }) => {
    assert.match(await say({ stream: true }), /^be.*upstream\.failed$/)
    assert.deepEqual(asked(members), [1, 1, 0])
    const { code, model, tries } = facts()
    assert.deepEqual({ code, model, tries }, { code: 'upstream.failed', model: 'b', tries: 2 })
  })
})

test('a pool leaves a member alone whose streams break off', async () => {
  await withPool([breaking(['x'], 'cut'), saying('from b')], async ({ say }) => {
    for (let at = 0; at < 3; at++) assert.match(await say({ stream: true }), /upstream\.failed$/)
    assert.equal(await say({ stream: true }), 'hello from b[DONE]')
  })
})

test('a pool ends all its tries when its time is over, and a stream that goes on too', async () => {
  const settings = { timeoutMs: 200 }
  await withPool(
    [silent, silent],
    async ({ say, members, facts }) => {
      const hungUp = members[0]?.nextHangUp()
      assert.equal(await say(), 'upstream.slow')
      assert.deepEqual([facts()['reason'], facts()['tries']], ['pool_timeout', 1])
      await hungUp
    },
    { settings },
  )
  await withPool(
    [breaking(['begun'], 'stall')],
    async ({ say, members, facts }) => {
      const hungUp = members[0]?.nextHangUp()
      assert.match(await say({ stream: true }), /upstream\.slow/)
      assert.equal(facts()['reason'], 'pool_timeout')
      await hungUp
    },
    { settings },
  )
})

test('a pool hangs up when its caller goes away, and asks nobody else', async () => {
  await withPool([silent, saying('from b')], async ({ whole, members }) => {
    const gone: (() => void)[] = []
    const hungUp = members[0]?.nextHangUp()
    const answer = whole({}, { onAbort: (listener) => void gone.push(listener) })
    while (members[0]?.received.length !== 1) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(gone.length, 1)
    gone[0]?.()
    const said = await answer
    assert.equal(said.kind === 'refusal' && said.code, 'input.aborted')
    await hungUp
    assert.deepEqual(asked(members), [1, 0])
  })
})

/** Permits the pool, and of its members all but these. */
function allBut(...names: readonly string[]): (question: Question) => boolean {
  return ({ resource }) => !names.includes(resource.id)
}

test('a pool sends no byte to a member that its caller may not use: not first, and not when another fails', async () => {
  await withPool(
    [saying('from a'), failing(500), saying('from c')],
    async ({ say, members, facts }) => {
      assert.equal(await say(), 'from c')
      assert.deepEqual(asked(members), [0, 1, 1])
      assert.deepEqual(facts()['members_denied'], ['a'])
    },
    { allows: allBut('a') },
  )
})

test('a pool refuses whom policy lets use none of its members', async () => {
  await withPool(
    [saying('from a'), saying('from b')],
    async ({ whole, members, facts, scene }) => {
      const said = await whole()
      assert.ok(said.kind === 'refusal')
      assert.deepEqual([said.code, said.status], ['action.denied', 403])
      assert.deepEqual([facts()['code'], facts()['stage']], ['action.denied', 'act'])
      assert.deepEqual(asked(members), [0, 0])
      // The list says the same.
      const list = await ask(scene, listRoute(scene.catalogue, scene.parts.policies))
      assert.ok(list.kind === 'answer')
      assert.deepEqual((JSON.parse(list.json) as { data: unknown[] }).data, [])
    },
    { allows: allBut('a', 'b') },
  )
})

test('a pool asks policy about the member with its region and with what inspection found', async () => {
  const [planted] = plantedSecrets(7)
  const seen: Question[] = []
  const allows = (question: Question): boolean => {
    seen.push(question)
    const facts = question.entities.flat().find(({ ref }) => ref.id === question.resource.id)
    const isFound = (question.context['findings'] as readonly string[]).length > 0
    return !isFound || question.resource.id === 'main' || facts?.attributes['region'] === 'eu'
  }
  const member = (at: number) => ({ region: at === 0 ? 'us' : 'eu' })
  const body = { messages: [{ role: 'user', content: planted?.text }] }
  await withPool(
    [saying('from a'), saying('from b')],
    async ({ say, members, facts }) => {
      assert.equal(await say(), 'from a')
      const before = asked(members)
      assert.equal(await say(body), 'from b')
      assert.deepEqual(before, [1, 0])
      assert.deepEqual(asked(members), [1, 1])
      assert.equal(facts()['region'], 'eu')
      assert.ok(seen.some(({ context }) => (context['findings'] as readonly string[]).length > 0))
    },
    { allows, member },
  )
})

test('a pool shows what inspection takes out only where policy shows it at each member', async () => {
  const [planted] = plantedSecrets(7)
  const body = { messages: [{ role: 'user', content: planted?.text }] }
  for (const masked of ['', 'a', 'main']) {
    const allows = ({ action, resource }: Question): boolean =>
      action.id === 'model:infer' || resource.id !== masked
    let arrived = ''
    const listening: SwitchedBehaviour = (response, asked) => {
      arrived = JSON.stringify(asked)
      saying('ok')(response, asked)
    }
    // The one that is asked is not the one that is masked.
    await withPool([saying('never'), listening], async ({ say }) => assert.equal(await say(body), 'ok'), {
      allows,
      pool: { choose: 'weight' },
      random: () => 0.9,
    })
    assert.equal(arrived.includes(planted?.secret ?? ''), masked === '', `masked at ${masked}`)
  }
})

test('a pool lets the key of no member out, whole and streamed', async () => {
  const key = ['the', 'key', 'of', 'provider', '4711'].join('-')
  const member = (): Partial<ModelSettings> => ({ key: { kind: 'present', secret: new Sealed(key) } })
  await withPool(
    [breaking(['Here is what came in: the-key-of', '-provider-4711 and that was it, ', 'all of it.'], 'cut')],
    async ({ say, members }) => {
      const streamed = await say({ stream: true })
      assert.ok(!streamed.includes('4711'), streamed)
      assert.match(streamed, /content\.blocked|upstream\./)
      members[0]?.does(saying(key))
      assert.equal(await say(), 'upstream.invalid')
    },
    { member },
  )
})

test('a pool stops a stream whose member policy no longer permits', async () => {
  let isForbidden = false
  const allows = ({ resource }: Question): boolean => resource.id !== 'a' || !isForbidden
  await withPool(
    [breaking(['begun'], 'stall')],
    async ({ say, members, facts }) => {
      const hungUp = members[0]?.nextHangUp()
      setTimeout(() => (isForbidden = true), 100)
      assert.match(await say({ stream: true }), /action\.denied/)
      await hungUp
      assert.equal(facts()['code'], 'action.denied')
    },
    { allows, settings: { timeoutMs: 20_000 }, member: () => ({ timeoutMs: 20_000 }) },
  )
})

const SCOPES: readonly (readonly [why: string, models: readonly string[], said: string])[] = [
  ['of the pool opens the pool', ['main'], 'from a'],
  ['of a member only does not', ['a'], 'action.denied'],
]

for (const [why, models, wanted] of SCOPES) {
  test(`a pool and the scope of a key: one ${why}`, async () => {
    await withPool([saying('from a')], async ({ scene, members }) => {
      const caller = { ...CALLER, scope: { models, actions: undefined } }
      const authenticator = { authenticate: () => proven(caller), looksReal: () => true }
      const scoped = { ...scene, parts: { ...scene.parts, authenticator } }
      const route = inferRoute(scene.catalogue, CHAT)
      const messages = [{ role: 'user', content: 'hello' }]
      assert.equal(inShort(await ask(scoped, route, { body: { model: 'main', messages } })), wanted)
      assert.equal(members[0]?.received.length, wanted === 'from a' ? 1 : 0)
      // The pool is the only way for a key of the pool.
      if (wanted === 'from a')
        assert.equal(inShort(await ask(scoped, route, { body: { model: 'a', messages } })), 'action.denied')
    })
  })
}

test('a pool takes no unknown fields where one of its members does not', async () => {
  const member = (at: number): Partial<ModelSettings> => (at === 1 ? { extensions: 'refuse' } : {})
  await withPool(
    [saying('from a'), saying('from b')],
    async ({ say, members }) => {
      assert.equal(await say({ vendor_field: 1 }), 'extension.refused')
      assert.deepEqual(asked(members), [0, 0])
    },
    { member },
  )
})

const UNFIT: readonly (readonly [why: string, changes: PoolChanges])[] = [
  ['a member that there is not', { ofPool: () => ({ model: 'nobody' }) }],
  ['a pool of itself', { ofPool: () => ({ model: 'main' }) }],
  ['a member without the region of the pool', { settings: { region: 'eu' } }],
  ['a member in another region', { settings: { region: 'eu' }, member: () => ({ region: 'us' }) }],
]

for (const [why, changes] of UNFIT) {
  test(`a pool does not open: ${why}`, async () => {
    await assert.rejects(
      withPool([saying('x')], async () => Promise.resolve(), changes),
      { code: 'config.invalid' },
    )
  })
}

test('a pool in a region has its members there', async () => {
  const changes: PoolChanges = { settings: { region: 'eu' }, member: () => ({ region: 'eu' }) }
  await withPool(
    [saying('in eu')],
    async ({ say, facts, scene }) => {
      assert.equal(await say(), 'in eu')
      assert.equal(facts()['region'], 'eu')
      assert.deepEqual(scene.catalogue.target('main').entities[0]?.attributes, {
        provider: 'pool',
        region: 'eu',
      })
    },
    changes,
  )
})

test('a pool chooses by weight', async () => {
  const draws = [0.1, 0.7, 0.8, 0.2]
  const ofPool = (at: number) => ({ weight: at === 0 ? 3 : 1 })
  await withPool(
    [saying('from a'), saying('from b')],
    async ({ say }) => {
      const said = [await say(), await say(), await say(), await say()]
      assert.deepEqual(said, ['from a', 'from a', 'from b', 'from a'])
    },
    { ofPool, pool: { choose: 'weight' }, random: () => draws.shift() ?? 0 },
  )
})

test('a pool chooses the one that answers sooner', async () => {
  const slow: SwitchedBehaviour = (response, body) =>
    void setTimeout(() => saying('slow')(response, body), 60)
  await withPool(
    [slow, saying('fast')],
    async ({ say, scene }) => {
      const { advance } = scene.clock
      // Time passes for the clock of the test while the slow one works.
      const first = say()
      setTimeout(() => advance.call(scene.clock, 60), 30)
      await first
      const said = new Set([await say(), await say(), await say()])
      assert.deepEqual(said, new Set(['fast']))
    },
    { pool: { choose: 'latency' } },
  )
})

test('a pool probes its members without a key: bad answers keep calls away, a good one lets a trial come at once', async () => {
  const probe = { everyMs: 20, path: '/health?x=1' }
  const isProbe = (at: number) => ({ probe: at === 0 ? probe : undefined })
  let isUp = false
  const member: SwitchedBehaviour = (response, body) => {
    if ('messages' in body) saying('from a')(response, body)
    else response.writeHead(isUp ? 200 : 503).end()
  }
  await withPool(
    [member, saying('from b')],
    async ({ say, members, metric }) => {
      const open = 'gatehouse_upstream_state{pool="main",model="a",state="open"}'
      while (metric(open) !== 1) await new Promise((resolve) => setTimeout(resolve, 5))
      assert.ok(members[0]?.received.every((one) => one === 'GET /health?x=1'))
      assert.equal(await say(), 'from b')
      isUp = true
      while ((await say()) !== 'from a') await new Promise((resolve) => setTimeout(resolve, 5))
      assert.deepEqual(
        members[1]?.received.filter((one) => one.startsWith('GET')),
        [],
      )
    },
    { ofPool: isProbe },
  )
})
