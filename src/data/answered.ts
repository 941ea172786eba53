/**
 * Limits the time that the file system may take for a single step, such as a read. A file server that hangs never
 * answers, and the system lets no program take such a request back.
 */
import { UsageError } from '../common/errors.js';

/**
 * The longest that the file system may take for one step, in seconds: mounts over networks repeat requests for minutes.
 */
const MOST_SECONDS = 120;

/** The file system did not answer. */
export class NoAnswer extends UsageError {
  constructor(path: string, seconds: number) {
    super(
      `the file system did not answer for ${seconds} s about ${path}; see whether its server and its mount work ` +
        '(a `ls` of the folder returns), then start again',
    );
  }
}

/** An error of the file system, with a message that states what to do. {@link NoAnswer} has one already. */
export function explained(error: unknown, message: string): UsageError {
  return error instanceof NoAnswer ? error : new UsageError(message);
}

let missing = false;

/** Whether a step has no answer. A thread of this process then waits for it, and the process does not end by itself. */
export function answerIsMissing(): boolean {
  return missing;
}

/** To be called when another thread of this process reports {@link NoAnswer}. */
export function noteMissingAnswer(): void {
  missing = true;
}

/** Watches over steps that follow one another. */
interface StepTimer {
  /** To be called when a step is answered and the next one begins. */
  readonly answered: () => void;
  /** To be called after the last step. */
  readonly end: () => void;
}

/** @param onMissing Called with {@link NoAnswer} if a step takes longer than `seconds`. */
export function stepTimer(path: string, onMissing: (error: NoAnswer) => void, seconds = MOST_SECONDS): StepTimer {
  const timer = setTimeout(() => {
    noteMissingAnswer();
    onMissing(new NoAnswer(path, seconds));
  }, seconds * 1000);
  return {
    answered: () => {
      timer.refresh();
    },
    end: () => {
      clearTimeout(timer);
    },
  };
}

/**
 * Waits for a step of the file system.
 *
 * @throws NoAnswer when it takes longer than `seconds`; otherwise as the step does.
 */
export function answered<T>(step: Promise<T>, path: string, seconds?: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = stepTimer(path, reject, seconds);
    step.then(resolve, reject).finally(timer.end);
  });
}
