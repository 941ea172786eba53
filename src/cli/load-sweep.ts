/** From a spec file to a plan: the pure parts of src/spec, fed with the file and the data sets' fingerprints. */
import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { canonicalJson } from '../common/canonical.js';
import { messageOf, UsageError } from '../common/errors.js';
import { openDataset } from '../data/dataset.js';
import { buildPlan, datasetsOf } from '../spec/plan.js';
import type { Plan } from '../spec/stages.js';
import { readSweep, type Sweep } from '../spec/sweep.js';

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
 * @throws UsageError when a data set is missing or broken, saying how to get it.
 */
export async function planSweep(sweep: Sweep): Promise<Plan> {
  const fingerprints = new Map<string, string>();
  for (const data of datasetsOf(sweep)) {
    const { fingerprint } = await openDataset(data);
    fingerprints.set(canonicalJson(data), fingerprint);
  }
  return buildPlan(sweep, (data) => fingerprints.get(canonicalJson(data))!);
}
