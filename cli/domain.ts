/** `mailtap domain`: the domains of the config. */
import { CONFIG, JSON_OUTPUT, type Given, type Noun } from './command.js'
import { settingsFor } from './settings.js'
import { say, sayJson } from './terminal.js'

export const domain: Noun = {
  name: 'domain',
  summary: 'virtual domains',
  commands: [
    {
      name: 'list',
      summary: 'list the domains and their directories',
      options: [CONFIG, JSON_OUTPUT],
      run: list,
    },
  ],
}

async function list(given: Given): Promise<void> {
  const { domains, defaultDomain } = await settingsFor(given)
  const all = Object.entries(domains).map(([name, settings]) => {
    return { name, ...settings, default: name === defaultDomain }
  })
  if (given.has('json')) return sayJson(all)
  for (const each of all) say(`${each.name}\t${each.path}${each.default ? '\tdefault' : ''}`)
}
