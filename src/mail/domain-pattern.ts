/** Domains as settings name them: `example.com` is that one, `.example.com` all below it. Pure. */
import { parseDomain } from './address.js'

/** For messages: what is right. */
export const DOMAIN_PATTERN_FORM = 'a domain such as "example.com", or ".example.com" for all below'

/** @returns it in canonical form (A-labels, lower case), or `null` if it is none */
export function parseDomainPattern(text: string): string | null {
  const below = text.startsWith('.')
  const domain = parseDomain(below ? text.slice(1) : text)
  if (domain === null || !below) return domain
  return domain.startsWith('[') ? null : `.${domain}`
}

/** @param pattern of {@link parseDomainPattern} @param domain in canonical form */
export function domainFits(pattern: string, domain: string): boolean {
  return pattern.startsWith('.') ? domain.endsWith(pattern) : domain === pattern
}

/** Of the patterns that fit, the one that says most: the domain itself, then the longest. */
export function closestPattern<T extends { readonly domain: string }>(
  patterns: readonly T[],
  domain: string,
): T | null {
  const fitting = patterns.filter((each) => domainFits(each.domain, domain))
  const [closest = null] = fitting.toSorted((one, other) => weight(other) - weight(one))
  return closest
}

/** `example.com` fits one domain and is no shorter than what else fits it, but for the dot. */
function weight({ domain }: { readonly domain: string }): number {
  return domain.startsWith('.') ? domain.length : Infinity
}
