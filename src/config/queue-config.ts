/** `[queue]`: how long mail waits, and how often it is tried. The form of the table, and what it means. */
import { formatSpan, parseSpan } from './durations.js'
import { parsed, table, type z } from './forms.js'
import type { Path } from './source.js'

export interface QueueConfig {
  /** Milliseconds from the first attempt to the second; later ones come ever less often. */
  readonly retryFirstMs: number
  /** Milliseconds between two attempts at most. */
  readonly retryMaxMs: number
  /** Milliseconds after which the sender hears of the delay; `null` = never. */
  readonly warnAfterMs: number | null
  /** Milliseconds after which it is given up. */
  readonly expireAfterMs: number
}

const SPAN_FORM = 'a time such as "30s", "5m", "4h" or "5d"'
const WARN_FORM = `${SPAN_FORM}, or "off"`
/** A message that waits a month is no mail any more. */
const MAX_SPAN_MS = 30 * 86_400_000

const span = (usual: string, what: string) =>
  parsed(`${SPAN_FORM}, 30 days at most`, limited).prefault(usual).describe(what)

export const queue = table({
  retry_first: span('5m', 'from the first attempt to the second'),
  retry_max: span('4h', 'between two attempts at most'),
  warn_after: parsed(WARN_FORM, (said) => (said === 'off' ? null : limited(said)))
    .prefault('4h')
    .describe('then the sender hears that it takes longer; or "off"'),
  expire_after: span('5d', 'then it is given up, and the sender hears of it'),
}).prefault({})

/** What does not go together, and the key that is about it; `null` if all does. */
export function queueProblem(
  settings: QueueConfig,
): { readonly path: Path; readonly what: string } | null {
  const { retryFirstMs, retryMaxMs, warnAfterMs, expireAfterMs } = settings
  if (retryFirstMs > retryMaxMs)
    return { path: ['queue', 'retry_max'], what: 'shorter than retry_first; make it longer' }
  if (expireAfterMs <= retryMaxMs) {
    const what = 'mail would be given up before it is tried again; make it longer than retry_max'
    return { path: ['queue', 'expire_after'], what }
  }
  if (warnAfterMs === null || warnAfterMs < expireAfterMs) return null
  const what = 'mail is given up before that; make it shorter than expire_after, or "off"'
  return { path: ['queue', 'warn_after'], what }
}

/** @param settings in the words of the file */
export function queueOf(settings: z.infer<typeof queue>): QueueConfig {
  return {
    retryFirstMs: settings.retry_first,
    retryMaxMs: settings.retry_max,
    warnAfterMs: settings.warn_after,
    expireAfterMs: settings.expire_after,
  }
}

/** The settings back in the words of the file. */
export function queueAsWritten(settings: QueueConfig) {
  const { retryFirstMs, retryMaxMs, warnAfterMs, expireAfterMs } = settings
  return {
    retry_first: formatSpan(retryFirstMs),
    retry_max: formatSpan(retryMaxMs),
    warn_after: warnAfterMs === null ? 'off' : formatSpan(warnAfterMs),
    expire_after: formatSpan(expireAfterMs),
  }
}

/** If nothing is said. */
export const QUEUE: QueueConfig = queueOf(queue.parse(undefined))

function limited(said: string): number | undefined {
  const ms = parseSpan(said)
  return ms === undefined || ms > MAX_SPAN_MS ? undefined : ms
}
