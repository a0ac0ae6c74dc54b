/** What a domain says about TLS to its mail servers, as text: RFC 8461 sections 3.1 and 3.2. */

/** RFC 8461 section 3.2: a year and six hours, in seconds. */
const MAX_MAX_AGE = 31_557_600
/** Patterns of mail servers that a policy may have. */
const MAX_PATTERNS = 1_000
const MAX_LINES = 2_000
const FIELD = /^([A-Za-z0-9][A-Za-z0-9_.-]{0,31})[ \t]*:[ \t]*(.*?)[ \t]*$/
const PATTERN =
  /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const RECORD = /^v=STSv1[ \t]*;/
const ID = /^id=([A-Za-z0-9]{1,32})$/

export type StsMode = 'enforce' | 'testing' | 'none'

export interface StsPolicy {
  readonly mode: StsMode
  /** Seconds that it holds from when it was fetched. */
  readonly maxAge: number
  /** Names of mail servers in lower case; `*.` in front stands for exactly one label. */
  readonly patterns: readonly string[]
}

/**
 * Reads the policy file. What it does not know it leaves out, as the RFC wants.
 * @returns `null` if it is no policy
 */
export function parseStsPolicy(text: string): StsPolicy | null {
  const lines = text.split('\n')
  if (lines.length > MAX_LINES) return null
  const fields = lines.map((line) => FIELD.exec(line.replace(/\r$/, '')))
  const all = (key: string): string[] =>
    fields.filter((field) => field?.[1] === key).map((field) => field![2]!)
  // Of a field that comes twice the first one counts, except mx.
  const [version] = all('version')
  const maxAge = maxAgeIn(all('max_age')[0])
  const mode = modeIn(all('mode')[0])
  const patterns = all('mx').map((pattern) => pattern.toLowerCase())
  if (version !== 'STSv1' || maxAge === null || mode === null) return null
  if (patterns.length > MAX_PATTERNS || !patterns.every(isPattern)) return null
  return patterns.length === 0 && mode !== 'none' ? null : { mode, maxAge, patterns }
}

const isPattern = (text: string): boolean => text.length <= 253 && PATTERN.test(text)

function maxAgeIn(text = ''): number | null {
  return /^\d{1,10}$/.test(text) ? Math.min(Number(text), MAX_MAX_AGE) : null
}

function modeIn(text = ''): StsMode | null {
  return text === 'enforce' || text === 'testing' || text === 'none' ? text : null
}

/**
 * The id of the policy that the TXT records of `_mta-sts.<domain>` announce.
 * @returns `null` if there is no such record, more than one, or one without an id
 */
export function stsIdIn(texts: readonly string[]): string | null {
  const [record, another] = texts.filter((text) => RECORD.test(text))
  if (record === undefined || another !== undefined) return null
  const ids = record.split(';').flatMap((field) => ID.exec(field.trim())?.[1] ?? [])
  return ids.length === 1 ? ids[0]! : null
}

/** RFC 8461 section 4.1. @param host in lower case */
export function allowsHost({ patterns }: StsPolicy, host: string): boolean {
  const dot = host.indexOf('.')
  const anyFirst = dot > 0 ? `*${host.slice(dot)}` : null
  return patterns.some((pattern) => pattern === host || pattern === anyFirst)
}
