/** `[metrics]`: the port for those who watch the server. The form of the table, and what it means. */
import { clash, parseEndpoint } from '../net/endpoint.js'
import { Networks } from '../net/networks.js'
import { isThisMachine } from '../net/this-machine.js'
import type { Problems } from './config-error.js'
import { endpoint, networks, table, type z } from './forms.js'
import { type Listen, PROTOCOLS } from './protocols.js'

export interface MetricsConfig {
  /** Where it listens. */
  readonly listen: string
  /** Who may ask besides this machine. */
  readonly allow: Networks
}

export const metrics = table({
  listen: endpoint().describe('where Prometheus may ask, such as "127.0.0.1:9125"'),
  allow: networks().describe('networks from which it may; without any only this machine'),
}).optional()

/**
 * @param settings in the words of the file
 * @param listen what else is listened on
 * @returns `undefined` = nobody is told anything
 */
export function metricsOf(
  settings: z.infer<typeof metrics>,
  listen: Listen,
  problems: Problems,
): MetricsConfig | undefined {
  if (settings === undefined) return undefined
  const allow = new Networks(settings.allow)
  const what = problemOf(settings.listen, allow, listen)
  if (what !== null) problems.add(['metrics', 'listen'], `'${settings.listen}' ${what}`)
  return { listen: settings.listen, allow }
}

/** The settings back in the words of the file. */
export function metricsAsWritten({ listen, allow }: MetricsConfig) {
  return { listen, allow: allow.texts }
}

function problemOf(text: string, allow: Networks, listen: Listen): string | null {
  const place = parseEndpoint(text)
  const others = PROTOCOLS.flatMap((kind) => listen[kind])
  if (clash([...others, text])?.other === others.length)
    return 'is taken by [listen]; choose another port'
  if (place.kind === 'unix') return null
  if (place.proxies !== null) return 'has proxy=, which is for mail ports only; remove it'
  if (allow.texts.length > 0 || (place.host !== null && isThisMachine(place.host))) return null
  return 'can be asked from elsewhere; use 127.0.0.1, or say in allow who may'
}
