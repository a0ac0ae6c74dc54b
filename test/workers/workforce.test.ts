import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { WorkerProcess } from '../../src/workers/child.js'
import type { Answers, ForPrimary } from '../../src/workers/workers.js'
import { Workforce } from '../../src/workers/workforce.js'
import { keptLog } from '../helpers/kept-log.js'

/** Writes down each setting it is given, and has started when the file `go` is there. */
const PROGRAM = `
import { appendFileSync, existsSync } from 'node:fs'
const [told, go] = [new URL('told', import.meta.url), new URL('go', import.meta.url)]
const answer = (id) => process.send([{ kind: 'answer', id }])
const whenTold = (id) => (existsSync(go) ? answer(id) : setTimeout(whenTold, 5, id))
const take = ({ id, what, asked }) => {
  if (what === 'stop') return process.exit()
  if (what === 'start') appendFileSync(told, asked.config + '\\n')
  if (what === 'reload') appendFileSync(told, asked + '\\n')
  return what === 'start' ? whenTold(id) : answer(id)
}
process.on('message', (notes) => notes.forEach(take))
`

test('a worker that was just beginning at a reload has the new settings, too', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'mailtap-workforce-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const entry = join(directory, 'worker.mjs')
  await writeFile(entry, PROGRAM)
  const told = (): Promise<string> => readFile(join(directory, 'told'), 'utf8').catch(() => '')
  const log = keptLog()
  let config = 'old'
  const workforce = new Workforce({
    count: 1,
    hire: () => new WorkerProcess({ entry, sockets: [], log }, {} as Answers<ForPrimary>),
    order: () => ({ config }),
    gone: () => {},
    log,
  })
  onTestFinished(() => workforce.stop())
  const started = workforce.start()
  await vi.waitFor(async () => expect(await told()).toBe('old\n'), { timeout: 30_000 })
  config = 'new'
  await workforce.reload(config)
  await writeFile(join(directory, 'go'), '')
  await started
  expect(await told()).toBe('old\nnew\n')
})
