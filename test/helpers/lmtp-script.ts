/** An LMTP server that says what a test has written down, and remembers what it heard. */
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { LmtpPlace } from '../../src/mail/lmtp-place.js'
import { temporaryDirectory } from './domain-tree.js'

/** What is said to a verb; `.` is said after the final dot, several replies in one text. `null` hangs up. */
export type Lines = Readonly<Record<string, string | null>>

export const PLAIN: Lines = {
  hello: '220 lmtp.example ready',
  LHLO: '250-lmtp.example\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES',
  MAIL: '250 2.1.0 ok',
  RCPT: '250 2.1.5 ok',
  DATA: '354 go on',
  '.': '250 2.0.0 delivered',
  QUIT: '221 2.0.0 bye',
}

export async function lmtpServer(lines: Lines) {
  const heard: Buffer[] = []
  let sessions = 0
  const server = createServer((socket) => {
    sessions++
    talk(socket, lines, (bytes) => heard.push(bytes))
  })
  const path = join(await temporaryDirectory(), 'lmtp')
  await new Promise<void>((resolve) => server.listen(path, resolve))
  onTestFinished(() => void server.close())
  const place: LmtpPlace = { kind: 'unix', path }
  return {
    place,
    heard: () => Buffer.concat(heard).toString('latin1'),
    sessions: () => sessions,
  }
}

function talk(socket: Socket, lines: Lines, hear: (bytes: Buffer) => void): void {
  let rest = ''
  let data = false
  const say = (verb: string): void => {
    const text = lines[verb] ?? lines[verb.split(' ')[0]!]
    if (text === null) socket.destroy()
    else socket.write(`${text ?? '500 5.5.1 what?'}\r\n`)
  }
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    hear(chunk)
    rest += chunk.toString('latin1')
    for (let end = rest.indexOf('\r\n'); end !== -1; end = rest.indexOf('\r\n')) {
      const line = rest.slice(0, end)
      rest = rest.slice(end + 2)
      if (data && line === '.') {
        data = false
        say('.')
      } else if (!data) {
        say(line in lines ? line : line.split(' ')[0]!)
        data = line === 'DATA' && (lines['DATA'] ?? '').startsWith('354')
      }
    }
  })
  say('hello')
}
