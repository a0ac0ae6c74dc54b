/** What a person sees: results on stdout, everything else on stderr. */
// oxlint-disable-next-line no-control-regex -- control characters are what it is for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** A line on stdout. */
export function say(line = ''): void {
  process.stdout.write(`${inert(line)}\n`)
}

/** Text of several lines on stdout, as it is. */
export function print(text: string): void {
  process.stdout.write(text)
}

/** Bytes on stdout, as they are. */
export async function write(bytes: AsyncIterable<Buffer>): Promise<void> {
  for await (const piece of bytes) process.stdout.write(piece)
}

/** A result for programs. */
export function sayJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** A line on stderr that begins with the program's name, as it does in every log. */
export function complain(line: string): void {
  process.stderr.write(`mailtap: ${inert(line)}\n`)
}

export function warn(line: string): void {
  complain(`warning: ${line}`)
}

/** A reader that goes away (`mailtap user list | head -1`) is no fault. */
export function tolerateClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {
      // Nobody is left who could be told.
    })
  }
}

/** Names of files and users may hold what moves a cursor or turns the text round. */
function inert(line: string): string {
  return line.replace(
    CONTROL,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
