/** `[filter]` in the words of mailtap.toml, as `config show` prints it. */
import type { FilterConfig } from '../src/config/filter-config.js'

type Milter = FilterConfig['milters'][number]
type Outage = Pick<Milter, 'timeoutMs' | 'onError'>

/** @returns tables that mean the same again when they are read */
export function filterAsWritten({ headers, dnsbl, greylist, rspamd, milters }: FilterConfig) {
  const [milter] = milters
  return {
    headers: { max_size: headers.maxSize, require: headers.require },
    dnsbl: { ...dnsbl, lists: dnsbl.lists.map(({ zone, codes }) => joined(zone, codes)) },
    greylist:
      greylist === null
        ? { enabled: false }
        : { enabled: true, delay: greylist.delay, trust_after: greylist.trustAfter },
    ...(rspamd === null ? {} : { rspamd: { url: rspamd.url, ...outage(rspamd) } }),
    ...(milter === undefined
      ? {}
      : { milter: { endpoints: milters.map(endpoint), ...outage(milter) } }),
  }
}

function joined(zone: string, codes: readonly string[]): string {
  return codes.length === 0 ? zone : `${zone}=${codes.join(',')}`
}

function endpoint({ endpoint: at }: Milter): string {
  if ('path' in at) return `unix:${at.path}`
  return `inet:${at.host.includes(':') ? `[${at.host}]` : at.host}@${at.port}`
}

function outage({ timeoutMs, onError }: Outage) {
  return { timeout: timeoutMs / 1000, on_error: onError }
}
