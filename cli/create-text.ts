/** The text of the config that `mailtap create` writes. */
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import { addDomains, newConfig, type NewConfig, type NewDomain } from '../src/config/edit.js'
import { readText } from '../src/config/read.js'
import { checkAppended } from './create-append.js'
import type { CreatePlan, DomainPlan } from './create-plan.js'
import { relayPasswordFile } from './create-relay.js'
import { machineName } from './machine-name.js'

/**
 * @param append add to the config that is there
 * @throws Failure when nothing can be added to it
 */
export async function configText(plan: CreatePlan, append: boolean): Promise<string> {
  const { output } = plan
  if (!append) return newConfig(wholeConfig(plan, plan.hostname ?? (await machineName())))
  const domains = plan.domains.map((domain) => inConfig(domain, output))
  return checkAppended(addDomains(await readText(output), domains), output)
}

function wholeConfig(plan: CreatePlan, hostname: string): NewConfig {
  const { listen, auth, tls, relay, domains } = plan
  const here = (path: string): string => pathInConfig(path, plan.output)
  const only = domains.length === 1 ? domains[0]!.name : null
  return {
    hostname,
    listen,
    auth,
    domains: domains.map((domain) => inConfig(domain, plan.output)),
    // Said even when implied: with a second domain it would silently stop being so.
    defaultDomain: plan.defaultDomain ?? only,
    state: plan.state === null ? 'mailtap-state' : here(plan.state),
    tls: tls === null ? null : { cert: here(tls.cert), key: here(tls.key) },
    relay:
      relay === null
        ? null
        : {
            via: relay.via,
            passwordFile: relay.who === null ? null : here(relayPasswordFile(plan)),
          },
  }
}

function inConfig(
  { name, path, bounceToPostmaster, catchAll, aliases }: DomainPlan,
  output: string,
): NewDomain {
  return {
    name,
    bounceToPostmaster,
    catchAll,
    path: pathInConfig(path, output),
    aliases: aliases === null ? null : pathInConfig(aliases, output),
  }
}

/** A path typed here, as it must stand in a config that may lie elsewhere. */
function pathInConfig(path: string, output: string): string {
  const directory = dirname(resolve(output))
  if (directory === process.cwd() || isAbsolute(path)) return path
  // What lies beside the config moves with it.
  const within = relative(directory, resolve(path))
  return within === '' || /^\.\.(\/|$)/.test(within) ? resolve(path) : `./${within}`
}
