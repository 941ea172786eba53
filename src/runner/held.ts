/** The stages that this process works on: its claim on each, and the worker while one runs. Makes no decisions. */
import { Claimant, RENEW_EVERY_MS, type Claim, type ClaimOwner } from '../store/claims.js';
import type { StagePaths } from '../store/layout.js';
import type { Launch, LaunchOptions, Worker } from './worker.js';

export class Held {
  readonly #launcher: Launch;
  readonly #claimant = new Claimant();
  readonly #claims = new Map<string, Claim>();
  readonly #workers = new Map<string, Worker>();

  constructor(launcher: Launch) {
    this.#launcher = launcher;
  }

  /** How many workers run. */
  get size(): number {
    return this.#workers.size;
  }

  /**
   * Works on a stage under a claim, which is always released.
   *
   * @returns whether it did, or who has the claim instead.
   */
  async under(
    id: string,
    paths: StagePaths,
    work: (claim: Claim) => Promise<void>,
  ): Promise<true | { holder: ClaimOwner | null }> {
    const got = this.#claimant.claim(paths);
    if ('holder' in got) return got;
    this.#claims.set(id, got.claim);
    try {
      await work(got.claim);
    } finally {
      this.#claims.delete(id);
      got.claim.release();
    }
    return true;
  }

  launch(options: LaunchOptions): Worker {
    const worker = this.#launcher(options);
    this.#workers.set(options.stage.id, worker);
    void worker.ended.then(() => this.#workers.delete(options.stage.id));
    return worker;
  }

  /** Asks every worker to keep a checkpoint and end. */
  interrupt(): void {
    for (const worker of this.#workers.values()) worker.interrupt();
  }

  kill(): void {
    for (const worker of this.#workers.values()) worker.kill();
  }

  /** Shows other sweeps, until it is ended, that this one lives; workers whose stage was taken over are killed. */
  keepRenewing(): { end: () => void } {
    const renewal = setInterval(() => {
      this.#renew();
    }, RENEW_EVERY_MS);
    return {
      end: () => {
        clearInterval(renewal);
      },
    };
  }

  #renew(): void {
    for (const [id, claim] of this.#claims) {
      let held: boolean;
      try {
        held = claim.renew();
      } catch {
        continue; // a full or absent disk: the stage's own files show it
      }
      if (!held) this.#workers.get(id)?.kill();
    }
  }
}
