import { cp, symlink } from 'node:fs/promises'
import { expect, onTestFinished, test } from 'vitest'
import { RunningServer, ROOT } from '../helpers/site.js'
import { join } from 'node:path'
import { oneLine, Workplace } from './workplace.js'

const DEMO = join(ROOT, 'dist', 'cli', 'demo.js')

function start(place: Workplace): RunningServer {
  const inPlace = ['-c', 'cd "$0" && exec "$@"', place.path]
  const server = new RunningServer(['/bin/sh', ...inPlace, process.execPath, DEMO])
  onTestFinished(async () => void (await server.kill('SIGKILL')))
  return server
}

test('npm start makes a demo once, tells how to use it, and runs it', async ({ skip }) => {
  const place = await Workplace.make()
  const first = start(place)
  await first.ready().catch(() => {})
  if (first.output.includes('another program listens')) return skip('port 8025 or 8110 is taken')
  expect(first.readyLine).toBe('smtp on 127.0.0.1:8025, pop3 on 127.0.0.1:8110')
  expect(first.output).toMatch(/^user alice@example\.com, password \S{20}$/m)
  expect(first.output).toMatch(/^user postmaster@example\.com, password \S{20}$/m)
  expect(first.output).toContain('swaks --server 127.0.0.1:8025 --to alice@example.com')
  expect(first.output).toContain('curl -u alice@example.com pop3://127.0.0.1:8110/1')
  expect(await first.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  const hash = await place.read('demo/Maildir/.users/alice')
  const second = start(place)
  await second.ready()
  expect(second.output).toContain('npx mailtap user passwd -c demo/mailtap.toml alice')
  expect(second.output).not.toMatch(/^user alice/m)
  expect(await place.read('demo/Maildir/.users/alice')).toBe(hash)
  expect(await second.kill('SIGINT')).toEqual({ code: 0, signal: null })
})

test('npm start runs the config that is there', async () => {
  const place = await Workplace.withConfig()
  const server = start(place)
  await server.ready()
  expect(place.has('demo')).toBe(false)
  expect(server.readyLine).not.toContain('8025')
  await server.kill('SIGTERM')
  await place.write('mailtap.toml', 'nonsense = 1\n')
  const broken = start(place)
  expect(await broken.ended()).toEqual({ code: 78, signal: null })
  expect(oneLine({ code: 78, out: '', err: broken.output })).toContain('unknown key "nonsense"')
})

test('npm start ends its server when npm is asked to end', async () => {
  const place = await Workplace.withConfig()
  await cp(join(ROOT, 'package.json'), place.file('package.json'))
  await symlink(join(ROOT, 'dist'), place.file('dist'))
  const inPlace = ['-c', 'cd "$0" && exec npm start --no-update-notifier', place.path]
  const npm = new RunningServer(['/bin/sh', ...inPlace])
  onTestFinished(async () => void (await npm.kill('SIGKILL')))
  await npm.ready()
  // Its output ends when all who could write to it are gone.
  await npm.kill('SIGTERM')
  expect(npm.output).toContain('server stopped')
})
