/** Settings on their way from one process to another: what has behaviour is sent as the text that it was made of. */
import { Networks } from '../net/networks.js'
import type { Config } from './config.js'

/** Stands for a list of networks; no key of the settings has a blank. */
const NETWORKS = 'these networks'

/** @returns plain data, for the structured clone algorithm */
export function packed(config: Config): unknown {
  return walk(config, (value) =>
    value instanceof Networks ? { [NETWORKS]: value.texts } : undefined,
  )
}

/** @param sent what `packed` made, from a process that can be trusted */
export function unpacked(sent: unknown): Config {
  return walk(sent, (value) =>
    NETWORKS in value ? new Networks(value[NETWORKS] as readonly string[]) : undefined,
  ) as Config
}

/** A copy. @param instead what stands in the place of an object; `undefined` = a copy of it */
function walk(value: unknown, instead: (value: Record<string, unknown>) => unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => walk(each, instead))
  if (typeof value !== 'object' || value === null) return value
  const other = instead(value as Record<string, unknown>)
  if (other !== undefined) return other
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, walk(each, instead)]))
}
