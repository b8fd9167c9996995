import type { EntryDraft, Receipt, Recorder } from '#base/recorder.ts'
import type { Link } from './link.ts'
import type { WorkerAnswers, WriterAnswers } from './messages.ts'

export type WorkerLink = Link<WriterAnswers, WorkerAnswers>

/** The ledger as a worker has it: every entry is the writer's to put on disk. */
export class RemoteRecorder implements Recorder {
  readonly #link: Pick<WorkerLink, 'ask' | 'tell' | 'sent'>
  readonly #origin: string

  constructor(link: Pick<WorkerLink, 'ask' | 'tell' | 'sent'>, origin: string) {
    this.#link = link
    this.#origin = origin
  }

  async append(draft: EntryDraft): Promise<Receipt> {
    const { index, hash } = await this.#link.ask('append', draft)
    return { origin: this.#origin, index, leafHash: Buffer.from(hash, 'hex') }
  }

  appendLater(make: () => EntryDraft): void {
    this.#link.tell('appendLater', make())
  }

  handedOver(): Promise<void> {
    return this.#link.sent()
  }
}
