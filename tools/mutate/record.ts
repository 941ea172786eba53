/** Verdicts kept between runs, so that an interrupted run continues from them. One JSON line for each verdict. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mutant } from './mutants.js';
import type { Verdict } from './judge.js';
import type { TestFile } from './tests.js';

interface Line {
  key: string;
  /** The hash of the mutant's file. */
  source: string;
  /**
   * The other condition of the verdict: the hash of the test that caught it, or of all sources and tests if none did.
   */
  against: string;
  verdict: Verdict;
}

/** The hashes on which verdicts and reach depend. */
export interface Hashes {
  /** Of a source by its path in the repository. */
  source: (file: string) => string;
  /** Of a compiled test by its path in the repository, and of the helpers that it imports. */
  test: (path: string) => string;
  /** Of all sources and their mutants. */
  sources: string;
  /** Of all sources and tests. */
  all: string;
}

export class Record {
  readonly #file: string;
  readonly #folder: string;
  readonly #hashes: Hashes;
  readonly #lines = new Map<string, Line>();

  constructor(folder: string, hashes: Hashes) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#hashes = hashes;
    this.#file = join(folder, 'verdicts.jsonl');
    if (!existsSync(this.#file)) return;
    for (const text of readFileSync(this.#file, 'utf8').split('\n')) {
      try {
        const line = JSON.parse(text) as Line;
        this.#lines.set(line.key, line);
      } catch {
        // the incomplete last line of an interrupted run, or no file
      }
    }
  }

  /** The verdict of an earlier run, if nothing on which it depends has changed. */
  find({ key, file }: Mutant): Verdict | undefined {
    const line = this.#lines.get(key);
    if (line?.source !== this.#hashes.source(file)) return undefined;
    return line.against === this.#against(line.verdict) ? line.verdict : undefined;
  }

  add({ key, file }: Mutant, verdict: Verdict): void {
    const line: Line = { key, source: this.#hashes.source(file), against: this.#against(verdict), verdict };
    this.#lines.set(key, line);
    appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }

  /** The recorded reach of a test file, if neither the file nor the sources have changed since. */
  reach(path: string): TestFile | undefined {
    const file = this.#reachFile(path);
    if (!existsSync(file)) return undefined;
    const known = JSON.parse(readFileSync(file, 'utf8')) as { against: string; reach: TestFile };
    return known.against === this.#reachAgainst(path) ? known.reach : undefined;
  }

  keepReach(reach: TestFile): void {
    const { path } = reach;
    writeFileSync(this.#reachFile(path), JSON.stringify({ against: this.#reachAgainst(path), reach }));
  }

  #reachFile(path: string): string {
    return join(this.#folder, `reach-${path.replaceAll('/', '-')}.json`);
  }

  #reachAgainst(path: string): string {
    return `${this.#hashes.sources} ${this.#hashes.test(path)}`;
  }

  #against(verdict: Verdict): string {
    return verdict.kind === 'caught' ? this.#hashes.test(verdict.by) : this.#hashes.all;
  }
}
