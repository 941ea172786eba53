/**
 * Limits the time that the file system may take for a single step, such as a read. A file server that hangs never answers,
 * and the system lets no program take such a request back.
 */

/** The longest that the file system may take for one step, in seconds: mounts over networks repeat requests for minutes. */
const MOST_SECONDS = 120;

/** The file system did not answer. */
export class NoAnswer extends Error {
  override name = 'NoAnswer';

  constructor(path: string, seconds: number) {
    super(
      `the file system did not answer for ${seconds} s about ${path}; see whether its server and its mount work ` +
        '(a `ls` of the folder returns), then start again',
    );
  }
}

let missing = false;

/** Whether a step went without an answer. Then a thread of this process waits for it, and the process does not end by itself. */
export function answerIsMissing(): boolean {
  return missing;
}

/** To be called where another thread of this process reports {@link NoAnswer}. */
export function noteMissingAnswer(): void {
  missing = true;
}

/**
 * Waits for a step of the file system.
 *
 * @throws NoAnswer when it takes longer than `seconds`; otherwise as the step does.
 */
export function answered<T>(step: Promise<T>, path: string, seconds = MOST_SECONDS): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      noteMissingAnswer();
      reject(new NoAnswer(path, seconds));
    }, seconds * 1000);
    step.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}
