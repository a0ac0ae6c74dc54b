/**
 * Sends mail as fast as a server takes it, in a process of its own. MAIL, RCPT
 * and DATA go out together (RFC 2920), the body after the 354; every server is
 * spoken to in the same way.
 * Usage: node smtp-load.js PORT CONNECTIONS MESSAGES SIZE [RECIPIENTS], where MESSAGES are those
 * of each connection, SIZE counts octets, and several recipients are u1, u2 and so on. Says `ready`, waits for `go`, says how long it took.
 */
import { once } from 'node:events'
import { Wire } from './wire.js'

const [port, connections, messages, size, recipients = 1] = process.argv.slice(2).map(Number) as [
  number,
  number,
  number,
  number,
  number?,
]
/** A body is poured in pieces of this size at most. */
const PIECE = 65_536
const LINE = `${'abcdefghij'.repeat(7)}0123456\r\n`
const HEADER = 'From: <bench@example.org>\r\nTo: <bob@example.com>\r\nSubject: bench\r\n\r\n'
const NAMES =
  recipients === 1 ? ['bob'] : Array.from({ length: recipients }, (_, at) => `u${at + 1}`)
const RCPTS = NAMES.map((name) => `RCPT TO:<${name}@example.com>\r\n`).join('')
const ENVELOPE = `MAIL FROM:<bench@example.org>\r\n${RCPTS}DATA\r\n`
const TAKEN = [250, ...NAMES.map(() => 250), 354]

function lines(octets: number): string {
  const whole = LINE.repeat(Math.floor(octets / LINE.length))
  return whole.length === octets ? whole : `${whole}${LINE.slice(0, octets - whole.length - 2)}\r\n`
}

/** Small messages are one write; of large ones a piece is sent again and again. */
const small = size <= PIECE ? Buffer.from(`${HEADER}${lines(size - HEADER.length)}.\r\n`) : null
const piece = Buffer.from(LINE.repeat(Math.floor(PIECE / LINE.length)))

async function open(): Promise<Wire> {
  const wire = await Wire.to(port)
  await wire.reply('220')
  wire.write('EHLO bench.example.org\r\n')
  await wire.reply('250')
  return wire
}

async function send(wire: Wire): Promise<void> {
  wire.write(ENVELOPE)
  await wire.replies(...TAKEN)
  if (small === null) await pourLarge(wire)
  else wire.write(small)
  await wire.replies(250)
}

async function pourLarge(wire: Wire): Promise<void> {
  await wire.pour(Buffer.from(HEADER))
  for (let left = size - HEADER.length; left >= piece.length; left -= piece.length) {
    await wire.pour(piece)
  }
  await wire.pour(Buffer.from('.\r\n'))
}

async function main(): Promise<void> {
  const wires = await Promise.all(Array.from({ length: connections }, open))
  process.send!('ready')
  await once(process, 'message')
  const start = performance.now()
  await Promise.all(
    wires.map(async (wire) => {
      for (let i = 0; i < messages; i++) await send(wire)
    }),
  )
  process.send!({ milliseconds: performance.now() - start })
  for (const wire of wires) wire.close()
  process.disconnect()
}

void main()
