import { spawn } from 'node:child_process'
import { expect } from 'vitest'
import { testWith } from '../helpers/programs.js'
import { PROGRAM } from '../helpers/site.js'
import { Workplace } from './workplace.js'

/** Answers to questions, typed when the question is there. */
type Typed = readonly (readonly [question: string, answer: string])[]

/** Runs mailtap on a terminal. @returns what the screen showed, and the exit code */
async function onTerminal(
  place: Workplace,
  args: string,
  typed: Typed,
): Promise<[string, number | null]> {
  const command = `'${process.execPath}' '${PROGRAM}' ${args}`
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: place.path,
    timeout: 20_000,
  })
  let screen = ''
  let next = 0
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString()
    const [question, answer] = typed[next] ?? []
    if (question === undefined || !screen.includes(question)) return
    next++
    child.stdin.write(answer!)
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return [screen, code]
}

testWith(['script'], 'a password is asked for twice and never shown', async () => {
  const place = await Workplace.withConfig()
  const [screen, code] = await onTerminal(place, 'user add alice -s plain', [
    ['New password for alice@example.com: ', 'sesame open\r'],
    ['The same again: ', 'sesame open\r'],
  ])
  expect([screen, code]).toEqual([expect.stringContaining('user alice@example.com'), 0])
  expect(screen).not.toContain('sesame')
  expect(await place.read('Maildir/.users/alice')).toBe('{PLAIN}sesame open\n')
})

testWith(['script'], 'two passwords that differ change nothing', async () => {
  const place = await Workplace.withConfig()
  const [screen, code] = await onTerminal(place, 'user add alice', [
    ['New password', 'one\r'],
    ['The same again', 'two\r'],
  ])
  expect([screen, code]).toEqual([expect.stringContaining('the two passwords differ'), 65])
  expect(place.has('Maildir/.users/alice')).toBe(false)
})

testWith(['script'], 'Ctrl-C at the question changes nothing', async () => {
  const place = await Workplace.withConfig()
  const [screen, code] = await onTerminal(place, 'user add alice', [['New password', '\u0003']])
  expect([screen, code]).toEqual([expect.stringContaining('nothing was changed'), 130])
  expect(place.has('Maildir/.users/alice')).toBe(false)
})

testWith(['script'], 'mail is removed after "yes" and kept after anything else', async () => {
  const place = await Workplace.withConfig('-u', 'alice')
  const [, kept] = await onTerminal(place, 'user remove alice --mail', [['(yes/no)', 'y\r']])
  expect([kept, place.has('Maildir/alice')]).toEqual([65, true])
  const [, gone] = await onTerminal(place, 'user remove alice --mail', [['(yes/no)', 'yes\r']])
  expect([gone, place.has('Maildir/alice')]).toEqual([0, false])
})

testWith(
  ['script'],
  'create asks for the passwords of its users before it makes anything',
  async () => {
    const place = await Workplace.make()
    const [, code] = await onTerminal(place, 'create -d example.com=./Maildir -u alice', [
      ['New password for alice@example.com', '\u0003'],
    ])
    expect([code, place.has('Maildir'), place.has('mailtap.toml')]).toEqual([130, false, false])
  },
)
