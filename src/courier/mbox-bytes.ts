/**
 * A message as it stands in an mbox file (RFC 4155; mboxrd): a `From ` line in
 * front, every line that looks like one quoted with `>`, an empty line behind.
 */
import { type Address, formatAddress } from '../mail/address.js'
import type { Message } from '../mail/message.js'

const LF = 10
const GREATER = 62
const FROM = Buffer.from('From ')
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** `From joe@far.example Thu Jan  1 00:00:00 1970`, in UTC. */
export function separator(from: Address | null, now: Date): Buffer {
  // A blank would end the address for whoever reads it.
  const sender = from === null ? 'MAILER-DAEMON' : formatAddress(from).replace(/\s/g, '_')
  const day = `${DAYS[now.getUTCDay()]} ${MONTHS[now.getUTCMonth()]}`
  const date = String(now.getUTCDate()).padStart(2)
  const time = now.toISOString().slice(11, 19)
  return Buffer.from(`From ${sender} ${day} ${date} ${time} ${now.getUTCFullYear()}\n`)
}

/** The message quoted, and what makes its end an empty line. */
export async function* quoted(message: Message): AsyncGenerator<Buffer, void, void> {
  const quoting = new Quoting()
  for await (const chunk of message.open()) yield* quoting.pieces(chunk)
  yield quoting.end()
}

/** Knows where in a line the last chunk ended. */
class Quoting {
  /** This line may yet begin with `From `, behind any number of `>`. */
  #open = true
  /** `>` at the beginning of an open line; not passed on yet. */
  #marks = 0
  /** Letters of `From ` behind them; not passed on yet. */
  #matched = 0
  #last = LF

  /** What was held back, the end of the last line, and an empty one. */
  end(): Buffer {
    return Buffer.concat([...this.#held(), Buffer.from(this.#last === LF ? '\n' : '\n\n')])
  }

  /** The same bytes, quoted, as far as that is decided. */
  *pieces(chunk: Buffer): Generator<Buffer, void, void> {
    for (let at = 0; at < chunk.length;) {
      if (this.#open) at = this.#look(chunk, at)
      if (this.#open) break
      yield* this.#held()
      const end = endOfPlain(chunk, at)
      if (end > at) yield chunk.subarray(at, end)
      this.#open = chunk[end - 1] === LF
      at = end
    }
    this.#last = chunk.at(-1) ?? this.#last
  }

  /** Reads on in an open line. @returns where it stopped */
  #look(chunk: Buffer, from: number): number {
    let at = from
    while (at < chunk.length && this.#matched === 0 && chunk[at] === GREATER) {
      this.#marks++
      at++
    }
    while (at < chunk.length && this.#matched < FROM.length && chunk[at] === FROM[this.#matched]) {
      this.#matched++
      at++
    }
    this.#open = at === chunk.length && this.#matched < FROM.length
    return at
  }

  *#held(): Generator<Buffer, void, void> {
    const marks = this.#marks + (this.#matched === FROM.length ? 1 : 0)
    if (marks > 0) yield Buffer.alloc(marks, GREATER)
    if (this.#matched > 0) yield FROM.subarray(0, this.#matched)
    this.#marks = 0
    this.#matched = 0
  }
}

/** Behind the next LF that something worth a look follows, or the end. */
function endOfPlain(chunk: Buffer, from: number): number {
  let lf = chunk.indexOf(LF, from)
  while (lf !== -1 && chunk[lf + 1] !== GREATER && chunk[lf + 1] !== FROM[0]) {
    if (lf + 1 === chunk.length) return chunk.length
    lf = chunk.indexOf(LF, lf + 1)
  }
  return lf === -1 ? chunk.length : lf + 1
}
