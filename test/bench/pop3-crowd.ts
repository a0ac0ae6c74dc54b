/** Many POP3 clients at once: those that come and go, those that stay, those that stop reading. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pop3Wire } from './pop3-wire.js'

/** Logins at once where it is not they that are measured. */
const AT_ONCE = 20
/** Milliseconds until a server has come to rest. */
const REST_MS = 1_500
/** Milliseconds for which nothing is read. */
const STALL_MS = 6_000

/** Those that stay. */
const held: Pop3Wire[] = []

/** What is said to the parent. */
export interface Told {
  readonly milliseconds: number
  readonly count?: number
}

export async function login(wire: Pop3Wire, user: string): Promise<void> {
  await wire.ask(`USER ${user}@example.com`)
  await wire.ask('PASS secret')
}

export async function quit(wire: Pop3Wire): Promise<void> {
  await wire.ask('QUIT')
  wire.close()
}

/** Each client has users that no other has: nobody finds a mailbox in use. */
export async function sessions(
  port: number,
  [users, clients, milliseconds]: readonly number[],
): Promise<Told> {
  const start = performance.now()
  let count = 0
  const client = async (first: number): Promise<void> => {
    for (let user = first; performance.now() - start < milliseconds!; count++) {
      const wire = await Pop3Wire.to(port)
      await login(wire, `u${user + 1}`)
      await wire.ask('STAT')
      await quit(wire)
      user = (user + clients!) % users!
    }
  }
  await Promise.all(Array.from({ length: clients! }, (_, first) => client(first)))
  return { milliseconds: performance.now() - start, count }
}

/** Logs in so many, and after the word to go up to so many more; all of them stay. */
export async function hold(
  port: number,
  [first, all]: readonly number[],
  ready: () => Promise<void>,
): Promise<Told> {
  const start = performance.now()
  await enter(port, 'u', 0, first!)
  await sleep(REST_MS)
  await ready()
  await enter(port, 'u', first!, all!)
  await sleep(REST_MS)
  return { milliseconds: performance.now() - start, count: held.length }
}

/** Logs in so many; after the word to go each asks for its message and reads no more of it. */
export async function stall(
  port: number,
  [count]: readonly number[],
  ready: () => Promise<void>,
): Promise<Told> {
  await enter(port, 'big', 0, count!)
  await sleep(REST_MS)
  await ready()
  const start = performance.now()
  await Promise.all(held.map((wire) => wire.stall('RETR 1')))
  await sleep(STALL_MS)
  return { milliseconds: performance.now() - start, count: held.length }
}

/** Lets those go that stay, when the parent has measured what it wanted. */
export async function over(): Promise<void> {
  await once(process, 'message')
  for (const wire of held) wire.close()
}

async function enter(port: number, name: string, from: number, to: number): Promise<void> {
  for (let next = from; next < to; next += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, to - next) }, (_, i) => next + i + 1)
    const entered = numbers.map(async (number) => {
      const wire = await Pop3Wire.to(port)
      await login(wire, `${name}${number}`)
      return wire
    })
    held.push(...(await Promise.all(entered)))
  }
}
