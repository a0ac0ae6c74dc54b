/** A control socket in a directory of its own, and what a stranger to our client would say to it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { controlSocket, type Route } from '../../src/control/control.js'
import { ControlServer } from '../../src/control/server.js'
import { type KeptLog, keptLog } from '../helpers/kept-log.js'

/** What came back; `whole` = it ended as HTTP says it should. */
export interface Reply {
  readonly status: number
  readonly body: string
  readonly whole: boolean
}

export class ControlStage {
  readonly state: string
  readonly log: KeptLog = keptLog()

  private constructor(state: string) {
    this.state = state
  }

  static async make(): Promise<ControlStage> {
    const state = await mkdtemp(join(tmpdir(), 'mailtap-control-'))
    onTestFinished(() => rm(state, { recursive: true, force: true }))
    return new ControlStage(state)
  }

  get path(): string {
    return controlSocket(this.state)
  }

  async serve(...routes: readonly Route[]): Promise<ControlServer> {
    const server = new ControlServer({ path: this.path, routes, log: this.log })
    await server.start()
    onTestFinished(() => server.stop())
    return server
  }

  ask(method: string, path: string, body = ''): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath: this.path, method, path, agent: false }, (answer) => {
        let text = ''
        answer.on('data', (piece: Buffer) => (text += piece.toString()))
        const end = (): void =>
          resolve({ status: answer.statusCode ?? 0, body: text, whole: answer.complete })
        answer.on('end', end)
        answer.on('error', end)
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }
}
