/** The load driver's connection, against a server that cuts its answers anywhere. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { Pop3Wire } from './pop3-wire.js'

const ANSWERS = {
  greeting: '+OK ready\r\n',
  STAT: '+OK 2 320\r\n',
  UIDL: '+OK\r\n.\r\n',
  RETR: '+OK 7 octets\r\n\r\r\n..\r\n.\r.\r\n\r\n.\r\n',
  DELE: '-ERR no such message\r\n',
}

let server: Server | null = null

afterEach(() => void server?.close())

/** Sends an answer to each line, so many octets at a time. */
async function serve(piece: number): Promise<number> {
  server = createServer({ noDelay: true }, (socket) => {
    let last = say(ANSWERS.greeting)
    async function say(text: string): Promise<void> {
      for (let at = 0; at < text.length; at += piece) {
        socket.write(text.slice(at, at + piece), 'latin1')
        await sleep(1)
      }
    }
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      for (const command of chunk.toString('latin1').split('\r\n').slice(0, -1)) {
        if (command === 'QUIT') return void socket.destroy()
        const answer = ANSWERS[command.slice(0, 4) as keyof typeof ANSWERS]
        last = last.then(() => say(answer))
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

test.each([1, 2, 3, 4, 5, 6, 7, 100])(
  'ends are found in answers cut every %i octets',
  async (piece) => {
    const wire = await Pop3Wire.to(await serve(piece))
    expect(await wire.ask('STAT')).toBe(ANSWERS.STAT)
    await wire.list('UIDL')
    await wire.pipelined('RETR', 3, true)
    const { greeting, STAT, UIDL, RETR } = ANSWERS
    expect(wire.octets).toBe(greeting.length + STAT.length + UIDL.length + 3 * RETR.length)
    expect(await wire.ask('STAT')).toBe(STAT)
    wire.close()
  },
)

test('an -ERR ends the load with what the server said', async () => {
  const wire = await Pop3Wire.to(await serve(100))
  await expect(wire.pipelined('DELE', 2, false)).rejects.toThrow('-ERR no such message')
  wire.close()
})

test('a server that hangs up ends the load', async () => {
  const wire = await Pop3Wire.to(await serve(100))
  await expect(wire.ask('QUIT')).rejects.toThrow(/closed|RESET/)
})
