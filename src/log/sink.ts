/**
 * Where log lines go: a stream that may be slow, full or gone. The server must
 * not notice: lines of one tick are written at once, a bounded number waits,
 * and what cannot be written is counted instead.
 */
import type { Writable } from 'node:stream'

/** Characters that may wait for a slow stream, those under way included. */
export const MAX_BACKLOG = 1_048_576
/** Milliseconds that `flush` waits for a stream that takes nothing. */
const FLUSH_PATIENCE = 2_000

export class Sink {
  readonly #stream: Writable
  readonly #recovered: (lost: number) => void
  #waiting = ''
  #waitingLines = 0
  /** Characters and lines of the batch that the stream has and did not confirm. */
  #underWay = 0
  #underWayLines = 0
  #scheduled = false
  /** True when the last batch may have ended in the middle of a line. */
  #torn = false
  #lost = 0
  #onDrained: (() => void)[] = []

  /** @param recovered is told how many lines were lost, once lines can be written again */
  constructor(stream: Writable, recovered: (lost: number) => void) {
    this.#stream = stream
    this.#recovered = recovered
    // Every write hears of its own error; unheard here, the same error would end the process.
    stream.on('error', () => {})
  }

  /** Lines lost so far that nobody was told of. */
  get lost(): number {
    return this.#lost
  }

  /** @param line with its LF */
  write(line: string): void {
    if (this.#underWay + this.#waiting.length + line.length > MAX_BACKLOG) {
      this.#lost++
      return
    }
    this.#waiting += line
    this.#waitingLines++
    this.#schedule()
  }

  /** Resolves when nothing waits any more, or after two seconds without hope. Never rejects. */
  flush(): Promise<void> {
    if (this.#waiting === '' && this.#underWay === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, FLUSH_PATIENCE)
      this.#onDrained.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** One batch per tick, and one at a time: what the stream holds stays known. */
  #schedule(): void {
    if (this.#scheduled || this.#underWay > 0) return
    this.#scheduled = true
    setImmediate(() => this.#send())
  }

  #send(): void {
    this.#scheduled = false
    // Half a batch may lie on a disk that was full: this one must not continue its last line.
    const batch = this.#torn ? `\n${this.#waiting}` : this.#waiting
    this.#underWay = batch.length
    this.#underWayLines = this.#waitingLines
    this.#waiting = ''
    this.#waitingLines = 0
    this.#stream.write(batch, (error) => this.#sent(error ?? null))
  }

  #sent(error: Error | null): void {
    const lines = this.#underWayLines
    this.#underWay = 0
    this.#underWayLines = 0
    this.#torn = error !== null
    if (error === null) this.#tell()
    else this.#lost += lines
    if (this.#waiting !== '') this.#schedule()
    else this.#drained()
  }

  #tell(): void {
    if (this.#lost === 0) return
    const lost = this.#lost
    this.#lost = 0
    this.#recovered(lost)
  }

  #drained(): void {
    const waiting = this.#onDrained
    this.#onDrained = []
    for (const resolve of waiting) resolve()
  }
}
