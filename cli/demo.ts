/** `npm start`: a server to try, made if there is none yet. */
import { access, mkdir } from 'node:fs/promises'
import { Given } from './command.js'
import { createFrom } from './create.js'
import { explain } from './explain.js'
import { run } from './run.js'
import { complain, say, tolerateClosedOutput } from './terminal.js'

const OWN_CONFIG = 'mailtap.toml'
const DEMO = 'demo'
const DEMO_CONFIG = `${DEMO}/mailtap.toml`
const SMTP = '127.0.0.1:8025'
const POP3 = '127.0.0.1:8110'

async function demo(): Promise<void> {
  if (await exists(OWN_CONFIG)) return runConfig(OWN_CONFIG)
  const isNew = !(await exists(DEMO_CONFIG))
  if (isNew) await makeDemo()
  sayHints(isNew)
  return runConfig(DEMO_CONFIG)
}

async function makeDemo(): Promise<void> {
  await mkdir(DEMO, { recursive: true, mode: 0o700 })
  const options = [
    { name: 'output', value: DEMO_CONFIG },
    { name: 'domain', value: `example.com=${DEMO}/Maildir` },
    { name: 'user', value: 'alice' },
    { name: 'user', value: 'postmaster' },
    { name: 'generate', value: true },
    { name: 'hostname', value: 'localhost' },
    { name: 'smtp', value: SMTP },
    { name: 'pop3', value: POP3 },
  ] as const
  await createFrom(new Given(null, options))
}

function sayHints(isNew: boolean): void {
  const password = isNew
    ? 'the password is the one above'
    : `forgotten the password? npx mailtap user passwd -c ${DEMO_CONFIG} alice`
  say('')
  say('send a message (the first line with swaks, the second one with curl):')
  say(`  swaks --server ${SMTP} --to alice@example.com`)
  say(`  printf 'Subject: hello\\r\\n\\r\\nIt works.\\r\\n' |`)
  say(`    curl smtp://${SMTP} --mail-from you@example.org --mail-rcpt alice@example.com -T -`)
  say(`fetch it (${password}):`)
  say(`  curl -u alice@example.com pop3://${POP3}/1`)
  say('')
}

function runConfig(file: string): Promise<void> {
  return run.run(new Given(null, [{ name: 'config', value: file }]))
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file)
    return true
  } catch {
    return false
  }
}

async function main(): Promise<number> {
  try {
    await demo()
    return 0
  } catch (error) {
    const { code, lines } = explain(error)
    for (const line of lines) complain(line)
    return code
  }
}

tolerateClosedOutput()
process.exitCode = await main()
