import { LIMITS } from '#base/limits.ts'
import { drawBanner } from '../banner.ts'
import type { Command } from '../command.ts'
import { defaultHome } from '../default_home.ts'
import { painter } from '../style.ts'
import { wrongUsage } from '../usage.ts'
import { parseWholeNumber } from '../whole_number.ts'

export const up: Command = {
  name: 'up',
  summary: 'open the door and serve until stopped',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [
    {
      name: 'listen',
      value: 'HOST:PORT',
      says: 'where callers come in (default: 127.0.0.1:4400; port 0 takes any)',
    },
    { name: 'admin-listen', value: 'HOST:PORT', says: 'where operators come in (default: 127.0.0.1:4401)' },
    { name: 'metrics-listen', value: 'HOST:PORT', says: 'where /metrics is (default: 127.0.0.1:4402)' },
    {
      name: 'workers',
      value: 'NUMBER',
      says: 'serve with so many processes beside the one that writes the ledger (default: 1, all in one)',
    },
    {
      name: 'accept-loss',
      value: undefined,
      says: 'go on although entries of the ledger are lost: a new log begins and states it',
    },
  ],
  example: './gatehouse up --listen 127.0.0.1:4400',
  run: async (call) => {
    const { world, home, config } = call
    const door = await world.startDoor({
      home,
      config,
      listen: call.option('listen'),
      adminListen: call.option('admin-listen'),
      metricsListen: call.option('metrics-listen'),
      workers: workersOf(call.option('workers')),
      printsKey: !call.isJson,
      acceptLoss: call.isOn('accept-loss'),
    })
    const ready = call.isJson
      ? JSON.stringify(door.facts)
      : drawBanner(door, painter(world), home === defaultHome(world))
    // Whoever reads that it is ready may stop it at once.
    world.onStop(() => void door.close())
    world.stdout.write(`${ready}\n`)
    await door.stopped
    return { exit: 0, text: '', json: undefined }
  },
}

function workersOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const workers = parseWholeNumber(text, 'workers', LIMITS.workers)
  if (workers === 0) throw wrongUsage('--workers takes at least 1.')
  return workers
}
