/** Whether a stream gets colours, and the few that are used. */
import { printable } from '../../common/printable.js';
import { wrap } from '../../common/wrap.js';
import type { EventLine } from './format.js';
import type { OutputStream } from './reporter.js';

/** FORCE_COLOR, then NO_COLOR, then whether it is a terminal. */
export function usesColour(stream: OutputStream, env: NodeJS.ProcessEnv): boolean {
  const forced = env.FORCE_COLOR;
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  return stream.isTTY === true && env.TERM !== 'dumb';
}

const CODES: Partial<Record<EventLine['word'], number>> = {
  done: 32,
  failed: 31,
  blocked: 31,
  warning: 33,
  retry: 33,
  wait: 33,
  stop: 33,
  stopped: 33,
};
const WIDTH = 8;

const NARROWEST_TEXT = 20;

/** A line led by its word; further lines, and what does not fit the columns, are indented below the text. */
export function renderLine({ word, text }: EventLine, coloured: boolean, columns = Infinity): string {
  const code = CODES[word];
  const lead = word.padEnd(WIDTH);
  const painted = coloured && code !== undefined ? `\u001b[${code}m${lead}\u001b[39m` : lead;
  const fitting = wrap(printable(text), Math.max(NARROWEST_TEXT, columns - WIDTH - 1));
  return `${painted} ${fitting.replaceAll('\n', `\n${' '.repeat(WIDTH + 1)}`)}\n`;
}
