/**
 * The progress of a command that works through a number of things: a bar on a terminal, a line now and then elsewhere.
 */
import { SingleBar } from 'cli-progress';
import { duration } from '../runner/reporters/format.js';
import { showsBars } from '../runner/reporters/index.js';
import { say } from './terminal.js';

export interface CountProgress {
  /** So many are done. */
  update(done: number): void;
  /** Prints a line beside the bar. */
  tell(line: string): void;
  /** How long it took, and how fast: `12 s (98.3 images/s)`. */
  summary(): string;
  /** Removes the bar. */
  close(): void;
}

interface Options {
  stream?: NodeJS.WriteStream;
  env?: NodeJS.ProcessEnv;
  /** Milliseconds on a steady clock. */
  now?: () => number;
  sayLine?: (line: string) => void;
}

const LINE_EVERY_MS = 2000;

/**
 * Begins to count. Progress goes to standard error.
 *
 * @param things In the plural: `images`.
 */
export function countProgress(total: number, things: string, options: Options = {}): CountProgress {
  const { stream = process.stderr, env = process.env, now = () => performance.now(), sayLine = say } = options;
  const begin = now();
  let bar: SingleBar | undefined;
  let [done, lastLine] = [0, begin];
  const seconds = (): number => (now() - begin) / 1000;
  const perSecond = (): string => `${(done / Math.max(seconds(), 1e-3)).toPrecision(3)} ${things}/s`;
  const text = (): string => {
    const left = duration(((total - done) * seconds()) / Math.max(1, done));
    return `${done}/${total} ${things}, ${perSecond()}, about ${left} left`;
  };
  if (showsBars(stream, env)) {
    bar = new SingleBar({
      stream,
      format: '{bar} {text}',
      barsize: 20,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false,
    });
    bar.start(total, 0, { text: `0/${total} ${things}` });
  }
  return {
    update(count) {
      done = count;
      bar?.update(done, { text: text() });
      if (bar !== undefined || now() - lastLine < LINE_EVERY_MS || done >= total) return;
      lastLine = now();
      sayLine(text());
    },
    tell(line) {
      if (bar === undefined) {
        sayLine(line);
        return;
      }
      // A line takes the place of the bar, which is then drawn below it.
      stream.write('\r\u001b[K');
      sayLine(line);
      bar.render();
    },
    summary: () => `${duration(seconds())} (${perSecond()})`,
    close() {
      bar?.stop();
      bar = undefined;
    },
  };
}
