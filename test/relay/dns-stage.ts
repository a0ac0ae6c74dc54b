/** A name server on this machine that says what a test wrote down, by UDP and by TCP, also what no name server says. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { octetsOf } from '../../src/net/ip.js'
import { freePort } from '../helpers/daemon.js'

const TYPES = { A: 1, CNAME: 5, MX: 15, TXT: 16, AAAA: 28, TLSA: 52 } as const
export type StageType = keyof typeof TYPES

export interface StageRecord {
  readonly type: StageType
  readonly data: Buffer
  /** That of the question unless it is said. */
  readonly name?: string
  readonly ttl?: number
}

export interface Script {
  readonly records?: readonly StageRecord[]
  readonly rcode?: number
  /** The AD bit. */
  readonly signed?: boolean
  /** By UDP: did not fit. */
  readonly truncated?: boolean | 'everywhere'
  /** Says nothing. */
  readonly mute?: boolean
  /** What is sent instead, in this order. */
  readonly raw?: (good: Buffer) => readonly Buffer[]
  /** Counts for questions with EDNS only. */
  readonly refusesEdns?: boolean
}

export const SERVFAIL: Script = { rcode: 2 }
export const NXDOMAIN: Script = { rcode: 3 }

export function nameOctets(name: string): Buffer {
  const labels = name === '' ? [] : name.split('.')
  const parts = labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)])
  return Buffer.concat([...parts, Buffer.alloc(1)])
}

export const ip = (address: string): StageRecord => ({
  type: address.includes(':') ? 'AAAA' : 'A',
  data: octetsOf(address)!,
})

export const mx = (preference: number, exchange: string): StageRecord => ({
  type: 'MX',
  data: Buffer.concat([Buffer.from([preference >> 8, preference & 255]), nameOctets(exchange)]),
})

export const cname = (target: string, name?: string): StageRecord => ({
  type: 'CNAME',
  data: nameOctets(target),
  ...(name === undefined ? {} : { name }),
})

export const txt = (...strings: string[]): StageRecord => ({
  type: 'TXT',
  data: Buffer.concat(
    strings.map((text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])),
  ),
})

export const tlsa = (usage: number, selector: number, matching: number, data: Buffer) =>
  ({
    type: 'TLSA',
    data: Buffer.concat([Buffer.from([usage, selector, matching]), data]),
  }) satisfies StageRecord

interface Asked {
  readonly name: string
  readonly type: string
  readonly edns: boolean
  /** Where the question ends. */
  readonly end: number
}

function read(query: Buffer): Asked {
  const labels: string[] = []
  let at = 12
  for (let size = query[at]!; size !== 0; size = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + size))
    at += size + 1
  }
  const number = query.readUInt16BE(at + 1)
  const type = Object.entries(TYPES).find(([, value]) => value === number)?.[0] ?? String(number)
  return { name: labels.join('.'), type, edns: query.readUInt16BE(10) === 1, end: at + 5 }
}

export function replyTo(query: Buffer, script: Script, tcp = true): Buffer {
  const { name, end, edns } = read(query)
  const header = Buffer.from(query.subarray(0, 12))
  const cut = script.truncated === 'everywhere' || (script.truncated === true && !tcp)
  const records = cut ? [] : (script.records ?? [])
  const rcode = script.refusesEdns === true ? Number(edns) : (script.rcode ?? 0)
  header.writeUInt16BE(0x8180 | (cut ? 0x200 : 0) | (script.signed === true ? 0x20 : 0) | rcode, 2)
  header.writeUInt16BE(records.length, 6)
  header.writeUInt16BE(0, 10)
  const bodies = records.map((record) => {
    const fixed = Buffer.alloc(10)
    fixed.writeUInt16BE(TYPES[record.type], 0)
    fixed.writeUInt16BE(1, 2)
    fixed.writeUInt32BE(record.ttl ?? 300, 4)
    fixed.writeUInt16BE(record.data.length, 8)
    const owner = record.name === undefined ? Buffer.from([0xc0, 12]) : nameOctets(record.name)
    return Buffer.concat([record.name === name ? nameOctets(name) : owner, fixed, record.data])
  })
  return Buffer.concat([header, query.subarray(12, end), ...bodies])
}

export class DnsStage {
  /** `name TYPE` → what is said; what is not in it has no records. */
  readonly zone = new Map<string, Script>()
  /** What was asked, `name TYPE tcp` or `name TYPE udp`. */
  readonly asked: string[] = []
  readonly port: number
  readonly #close: () => void

  private constructor(port: number, close: () => void) {
    this.port = port
    this.#close = close
  }

  /** @param address where it listens */
  static async start(address = '127.0.0.1'): Promise<DnsStage> {
    const port = await freePort()
    const udp = createSocket('udp4').bind(port, address)
    const sockets = new Set<Socket>()
    const tcp = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('data', (bytes) => {
        for (const reply of stage.#replies(bytes.subarray(2), true)) {
          socket.write(Buffer.concat([Buffer.from([reply.length >> 8, reply.length & 255]), reply]))
        }
      })
    }).listen(port, address)
    await Promise.all([once(udp, 'listening'), once(tcp, 'listening')])
    const stage = new DnsStage(port, () => {
      udp.close()
      tcp.close()
      for (const socket of sockets) socket.destroy()
    })
    udp.on('message', (query, from) => {
      for (const reply of stage.#replies(query, false)) udp.send(reply, from.port, from.address)
    })
    return stage
  }

  set(name: string, type: StageType, script: Script | readonly StageRecord[]): void {
    this.zone.set(
      `${name} ${type}`,
      Array.isArray(script) ? { records: script } : (script as Script),
    )
  }

  stop(): void {
    this.#close()
  }

  #replies(query: Buffer, tcp: boolean): readonly Buffer[] {
    const { name, type } = read(query)
    this.asked.push(`${name} ${type} ${tcp ? 'tcp' : 'udp'}`)
    const script = this.zone.get(`${name} ${type}`) ?? {}
    if (script.mute === true) return []
    const good = replyTo(query, script, tcp)
    return script.raw?.(good) ?? [good]
  }
}
