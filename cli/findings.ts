/** What `mailtap check` found. */
import { explain } from './explain.js'

/** Lines of each kind; a list of a hundred thousand helps nobody. */
const MAX_LINES = 1_000

export class Findings {
  readonly errors: string[] = []
  readonly warnings: string[] = []

  /** The server would not run, or somebody would get no mail. */
  error(what: string): void {
    add(this.errors, what)
  }

  /** It works, and somebody should know. */
  warning(what: string): void {
    add(this.warnings, what)
  }

  /** Looks at something; what it throws is an error that was found, and the search goes on. */
  async attempt(what: string, look: () => Promise<void>): Promise<void> {
    try {
      await look()
    } catch (error) {
      for (const line of explain(error).lines)
        this.error(line.includes(what) ? line : `${what}: ${line}`)
    }
  }
}

function add(lines: string[], what: string): void {
  if (lines.length < MAX_LINES) lines.push(what)
  else if (lines.length === MAX_LINES) lines.push('and more like these')
}
