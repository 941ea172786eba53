/** Chooses how a run is shown: JSON if requested, bars on a terminal, plain lines everywhere else. */
import { barsReporter } from './bars.js';
import { usesColour } from './colour.js';
import { jsonReporter } from './json.js';
import { plainReporter } from './plain.js';
import { terminalColumns, type OutputStream, type Reporter } from './reporter.js';

export type { Reporter } from './reporter.js';

export interface ReporterOptions {
  json: boolean;
  stdout: OutputStream;
  stderr: OutputStream;
  env: NodeJS.ProcessEnv;
}

/** JSON goes to `stdout`, everything else to `stderr`. CI and dumb terminals get plain lines. */
export function createReporter({ json, stdout, stderr, env }: ReporterOptions): Reporter {
  if (json) return jsonReporter((text) => stdout.write(text));
  const coloured = usesColour(stderr, env);
  if (showsBars(stderr, env)) return barsReporter(stderr, { coloured });
  return plainReporter((text) => stderr.write(text), { coloured, columns: () => terminalColumns(stderr) });
}

/** Whether progress is shown as bars: on a terminal that can draw them, outside of CI. */
export function showsBars(stream: OutputStream, env: NodeJS.ProcessEnv): boolean {
  const ci = env.CI !== undefined && env.CI !== '' && env.CI !== 'false';
  return stream.isTTY === true && !ci && env.TERM !== 'dumb';
}
