/** Short ways to read sweeps and plans in tests, and the example every document shows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildPlan } from '../../../src/spec/plan.js';
import { SpecError, type Problem } from '../../../src/spec/problems.js';
import type { Plan } from '../../../src/spec/stages.js';
import { readSweep, type Sweep } from '../../../src/spec/sweep.js';

/** The sweep of the design, as written there. */
export const ABLATION = readFileSync(join(process.cwd(), 'test/spec/fixtures/ablation.yaml'), 'utf8');

export function read(text: string, sets: string[] = []): Sweep {
  return readSweep(text, { file: 'sweep.yaml', defaultName: 'sweep', sets });
}

/** The plan, on data whose fingerprint is its name. */
export function plan(text: string, sets: string[] = []): Plan {
  return buildPlan(read(text, sets), ({ name }) => name);
}

/** The problems of a broken sweep. */
export function problemsOf(text: string, sets: string[] = []): readonly Problem[] {
  try {
    read(text, sets);
  } catch (error) {
    if (error instanceof SpecError) return error.problems;
    throw error;
  }
  throw new Error(`this sweep has no problem:\n${text}`);
}

/** Each problem as `line:column message`, or as the option and the message. */
export function complaints(text: string, sets: string[] = []): string[] {
  return problemsOf(text, sets).map(({ location, message }) =>
    location.kind === 'option' ? `${location.option}: ${message}` : `${location.line}:${location.column} ${message}`,
  );
}
