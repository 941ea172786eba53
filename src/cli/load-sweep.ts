/** From a spec file to a plan: the pure parts of src/spec, fed with the file and the data sets' fingerprints. */
import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { canonicalJson } from '../common/canonical.js';
import { messageOf, UsageError } from '../common/errors.js';
import { openDataset, type Dataset } from '../data/dataset.js';
import { buildPlan, datasetsOf } from '../spec/plan.js';
import type { Plan, UnlabelledData } from '../spec/stages.js';
import { readSweep, type Sweep } from '../spec/sweep.js';
import { say } from './terminal.js';

/**
 * Reads and validates a spec file.
 *
 * @throws UsageError when it cannot be read; SpecError with every problem and its line.
 */
export function loadSweep(file: string, sets: readonly string[]): Sweep {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read the spec ${file}: ${messageOf(error)}`);
  }
  return readSweep(text, { file, defaultName: basename(file, extname(file)), sets });
}

/**
 * Opens every data set of the sweep and freezes the plan.
 *
 * @param onOpened Called with each data set.
 * @throws UsageError when a data set is missing or broken, saying how to get it.
 */
export async function planSweep(
  sweep: Sweep,
  onOpened: (data: UnlabelledData, dataset: Dataset) => void = () => undefined,
): Promise<Plan> {
  const fingerprints = new Map<string, string>();
  for (const data of datasetsOf(sweep)) {
    const dataset = await openDataset(data, 1, { onHashed: hashingLines(), onChanged: say });
    onOpened(data, dataset);
    fingerprints.set(canonicalJson(data), dataset.fingerprint);
  }
  return buildPlan(sweep, (data) => fingerprints.get(canonicalJson(data))!);
}

const LINE_EVERY_MS = 2000;

/** A line every two seconds while files are read for the first time. */
function hashingLines(): (done: number, total: number) => void {
  let last = performance.now();
  return (done, total) => {
    const now = performance.now();
    if (now - last < LINE_EVERY_MS) return;
    last = now;
    say(`reading the data set's files to know them again: ${done} of ${total}`);
  };
}
