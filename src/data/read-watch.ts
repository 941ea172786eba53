/** Gives up reads that a disk or a file server does not answer. */
import { TrainingError } from '../common/errors.js';
import { patience as waitFor, type Patience, type StartPatience } from '../common/patience.js';
import { countWork } from '../common/work.js';

/** Longest wait for any of the reads under way. Thousands are requested at once, so a single one may take longer. */
const LONGEST_WAIT_SECONDS = 60;

interface Waiting {
  /** What is read, for the error. */
  name: () => string;
  reject: (error: TrainingError) => void;
}

/** Watches over the reads of one source of images. */
export class ReadWatch {
  readonly #waiting = new Set<Waiting>();
  readonly #startPatience: StartPatience;
  #patience: Patience | undefined;

  constructor(startPatience: StartPatience = waitFor) {
    this.#startPatience = startPatience;
  }

  /**
   * The value of a read.
   *
   * @throws TrainingError once no read of this source has ended for a minute, which may help when tried again.
   */
  watch<T>(name: () => string, read: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting = { name, reject };
      this.#waiting.add(waiting);
      this.#patience ??= this.#startPatience(LONGEST_WAIT_SECONDS, () => {
        this.#giveUp();
      });
      const ended = (): void => {
        this.#waiting.delete(waiting);
        this.#patience?.renew();
        countWork();
      };
      read.then(
        (value) => {
          ended();
          resolve(value);
        },
        (error: unknown) => {
          ended();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  #giveUp(): void {
    if (this.#waiting.size === 0) {
      this.#patience?.end();
      this.#patience = undefined;
    }
    for (const { name, reject } of this.#waiting) {
      const what = `${name()} could not be read within ${LONGEST_WAIT_SECONDS} s`;
      reject(new TrainingError(`${what}: its disk or file server does not answer; check it, and run again`, 'lost'));
    }
    this.#waiting.clear();
  }
}
