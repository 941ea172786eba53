/** Short ways to read sweeps and plans in tests, and the example every document shows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildPlan } from '../../../src/spec/plan.js';
import { SpecError, type Problem } from '../../../src/spec/problems.js';
import type { Plan } from '../../../src/spec/stages.js';
import { readSweep, type Sweep } from '../../../src/spec/sweep.js';

/** The sweep of the design, as written there. */
export const ABLATION = readFileSync(join(process.cwd(), 'test/spec/fixtures/ablation.yaml'), 'utf8');

/** Files beside the sweep, by their paths. */
export type Files = Readonly<Record<string, string>>;

/** Reads a sweep as `sweep.yaml`, with the files that it may extend. */
export function read(text: string, sets: string[] = [], files: Files = {}): Sweep {
  const readText = (path: string): string => {
    const found = files[path];
    if (found === undefined) throw new Error('no such file');
    return found;
  };
  return readSweep(text, { file: 'sweep.yaml', defaultName: 'sweep', sets, readText });
}

/** The plan, on data whose fingerprint is its name. */
export function plan(text: string, sets: string[] = [], files: Files = {}): Plan {
  return buildPlan(read(text, sets, files), ({ name }) => name);
}

/** The problems of a broken sweep. */
export function problemsOf(text: string, sets: string[] = [], files: Files = {}): readonly Problem[] {
  try {
    read(text, sets, files);
  } catch (error) {
    if (error instanceof SpecError) return error.problems;
    throw error;
  }
  throw new Error(`this sweep has no problem:\n${text}`);
}

/** Each problem as `line:column message`, or as the option and the message; with the file if that is another one. */
export function complaints(text: string, sets: string[] = [], files: Files = {}): string[] {
  return problemsOf(text, sets, files).map(({ location, message }) => {
    if (location.kind === 'option') return `${location.option}: ${message}`;
    const file = location.file === 'sweep.yaml' ? '' : `${location.file}:`;
    return `${file}${location.line}:${location.column} ${message}`;
  });
}
