/** An rspamd of our own on a free port, with one rule: it decides as the field X-Wanted says. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Daemon, freePort, startDaemon } from '../helpers/daemon.js'

const RULES = `
rspamd_config:register_symbol({
  name = 'WANTED',
  type = 'prefilter',
  callback = function(task)
    local wanted = task:get_header('X-Wanted')
    if wanted and wanted ~= 'nothing' then task:set_pre_result(wanted, 'as you wish') end
    local function seen(text) return text or 'none' end
    local from = task:get_from('smtp')
    local recipients = {}
    for _, each in ipairs(task:get_recipients('smtp') or {}) do
      table.insert(recipients, each.addr)
    end
    task:set_milter_reply({ add_headers = {
      ['X-Seen-Ip'] = tostring(task:get_from_ip()),
      ['X-Seen-Helo'] = seen(task:get_helo()),
      ['X-Seen-User'] = seen(task:get_user()),
      ['X-Seen-Id'] = seen(task:get_queue_id()),
      ['X-Seen-From'] = from and from[1] and from[1].addr or '',
      ['X-Seen-Rcpt'] = { value = table.concat(recipients, ' '), order = 1 },
      ['X-Seen-Size'] = tostring(task:get_size()),
      ['X-Twice'] = { { value = '1', order = 0 }, { value = '2', order = 1 } },
    } })
  end,
})
`

function settings(folder: string, port: number): string {
  return `
options {
  pidfile = "${folder}/pid";
  tempdir = "${folder}";
  hs_cache_dir = "${folder}";
  filters = "";
  url_tld = "${folder}/tlds";
  dns { nameserver = "127.0.0.1:1"; timeout = 0.1s; retransmits = 1; }
}
logging { type = "console"; level = "error"; }
worker "normal" { bind_socket = "127.0.0.1:${port}"; count = 1; }
actions {
  reject = 15; add_header = 6; greylist = 4;
  discard = 900; quarantine = 800; rewrite_subject = 700;
}
lua = "${folder}/rules.lua";
`
}

export class Rspamd {
  readonly url: string
  readonly #daemon: Daemon
  readonly #folder: string

  private constructor(url: string, daemon: Daemon, folder: string) {
    this.url = url
    this.#daemon = daemon
    this.#folder = folder
  }

  /** @throws Error when it does not work in time */
  static async start(): Promise<Rspamd> {
    const folder = await mkdtemp(join(tmpdir(), 'mailtap-rspamd-'))
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    await writeFile(join(folder, 'rules.lua'), RULES)
    await writeFile(join(folder, 'tlds'), 'com\nexample\n')
    await writeFile(join(folder, 'rspamd.conf'), settings(folder, port))
    const who = process.getuid?.() === 0 ? ['-i', '-u', 'root', '-g', 'root'] : []
    const args = ['-f', ...who, '-c', join(folder, 'rspamd.conf')]
    const works = (): Promise<boolean> => pings(url)
    return new Rspamd(url, await startDaemon('rspamd', args, works, 'SIGTERM'), folder)
  }

  async stop(): Promise<void> {
    await this.#daemon.stop()
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function pings(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/ping`, { signal: AbortSignal.timeout(1_000) })).ok
  } catch {
    return false
  }
}
