/** Plays a row that is a plain conversation, and collects where the server leaves the script. */
import type { Client } from './client.js'
import { NoAnswer } from './connection.js'
import { type Bench, note, skip, type Transcript, verdict, type Verdict } from './row.js'
import { scapegoat } from './scapegoat.js'

const SHOWN = 60
/** After so many errors a server may well hang up. */
const PATIENCE = 3

/** @throws NoAnswer, Unreachable, LoginFailed */
export async function play(row: Transcript, bench: Bench): Promise<Verdict> {
  const names = namesFor(bench)
  const missing = row.lines.flatMap((line) => holes(line).filter((name) => !names.has(name)))
  if (missing.length > 0) return skip(WHY.get(missing[0]!)!)
  const client = row.at === 'login' ? await bench.login() : await bench.connect()
  const faults = await converse(
    client,
    row.lines.map((line) => filled(line, names)),
  )
  if (row.lenient && faults.length > 0) return note(faults.join('; '))
  return verdict(row.lines.findLast((line) => line.startsWith('S: '))!.slice(3), faults)
}

const WHY = new Map([
  ['{1}', 'the mailbox is empty'],
  ['{t}', 'no test message that may be marked (--messages), and no --destructive'],
])

async function converse(client: Client, lines: readonly string[]): Promise<string[]> {
  const faults: string[] = []
  let said = ''
  let errors = 0
  for (const line of lines) {
    const wanted = line.slice(3)
    if (line.startsWith('C: ')) said = wanted
    else {
      const came = wanted === 'end' ? await ending(client) : await answer(client, said)
      if (came === 'end' && errors >= PATIENCE) break
      const right = wanted.split('|').some((start) => came.startsWith(start))
      if (!right) faults.push(`${shown(said)}: ${shown(came)}`)
      if (came === 'end') break
      if (came.startsWith('-ERR')) errors++
    }
  }
  return faults
}

/** The status line, or `end` if the server hangs up instead. */
async function answer(client: Client, command: string): Promise<string> {
  try {
    return (await client.ask(command)).status
  } catch (error) {
    if (error instanceof NoAnswer && client.over) return 'end'
    throw error
  }
}

async function ending(client: Client): Promise<string> {
  const more = await client.rest()
  return more === '' ? 'end' : more
}

function namesFor(bench: Bench): Map<string, string> {
  const { sizes } = bench.drop
  const names = new Map([['{beyond}', String(sizes.size + 1)]])
  const first = [...sizes.keys()][0]
  const goat = scapegoat(bench)
  if (first !== undefined) names.set('{1}', String(first))
  if (goat !== null) names.set('{t}', String(goat))
  return names
}

const holes = (line: string): string[] => line.match(/\{(1|t|beyond)\}/g) ?? []
const filled = (line: string, names: ReadonlyMap<string, string>): string =>
  line.replace(/\{(1|t|beyond)\}/g, (name) => names.get(name)!)
const shown = (text: string): string => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text)
