/**
 * Runs the real executable with fake workers that a test controls (test/runner/fixtures/fake-trainer.mjs), so that
 * scheduling, failures and kills can be tested hundreds of times.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '../../src/spec/stages.js';
import { start, temporaryFolder, vitmim, type Finished, type Running } from './cli.js';
import { planIn } from './plan.js';

const TRAINER = join(process.cwd(), 'test/runner/fixtures/fake-trainer.mjs');

export interface RigOptions {
  /** The grid of the sweep, as YAML. */
  grid: string;
  evaluate?: string;
  steps?: number;
  stepMs?: number;
}

/** An event that a worker logged: `start`, `step 2`, `end`. */
export interface Note {
  stage: string;
  pid: number;
  what: string;
}

export class Rig {
  readonly root: string;
  readonly spec: string;
  readonly out: string;
  readonly #options: RigOptions;
  readonly #remove: () => void;

  constructor(options: RigOptions) {
    const { path, remove } = temporaryFolder();
    this.root = path;
    this.#remove = remove;
    this.#options = options;
    this.out = join(path, 'out');
    this.spec = join(path, 'rig.yaml');
    mkdirSync(path, { recursive: true });
    writeFileSync(
      this.spec,
      `name: rig
job:
  data: { name: shapes, imageSize: 16, trainImages: 40, testImages: 20 }
  model: { dim: 8, depth: 1, heads: 2, decoder: { dim: 8, depth: 1, heads: 2 } }
  evaluate: ${options.evaluate ?? '[finetune, knn]'}
grid: ${options.grid}
`,
    );
  }

  /** Sets the behaviour of the fake workers from now on; see the head of the fake. */
  order(orders: Record<string, Record<string, number>>): void {
    writeFileSync(join(this.root, 'orders.json'), JSON.stringify(orders));
  }

  /** Starts `vitmim sweep` with fake workers. */
  sweep(args: readonly string[] = [], out = this.out): Running {
    const orders = join(this.root, 'orders.json');
    return start(['sweep', this.spec, '--out', out, '--device', 'cpu', '--trainer', TRAINER, ...args], {
      env: {
        FAKE_LEDGER: this.#ledger,
        FAKE_STEPS: String(this.#options.steps ?? 3),
        FAKE_STEP_MS: String(this.#options.stepMs ?? 5),
        ...(existsSync(orders) ? { FAKE_ORDERS: orders } : {}),
      },
    });
  }

  /** Runs any other command on the results folder. */
  run(...args: string[]): Promise<Finished> {
    return vitmim(args);
  }

  get #ledger(): string {
    return join(this.root, 'ledger.txt');
  }

  /** The events that the workers logged, in order. */
  notes(): Note[] {
    if (!existsSync(this.#ledger)) return [];
    return readFileSync(this.#ledger, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [stage, pid, ...what] = line.split(' ');
        return { stage: stage!, pid: Number(pid), what: what.join(' ') };
      });
  }

  plan(out = this.out): Plan {
    return planIn(out);
  }

  /** `tables/runs.csv`, newly written. */
  async runsCsv(out = this.out): Promise<string> {
    await vitmim(['report', out]);
    return readFileSync(join(out, 'tables', 'runs.csv'), 'utf8');
  }

  /** Stages on which two workers worked at the same time: one logged an event after its successor had begun. */
  sharedStages(): string[] {
    const order = new Map<string, number[]>();
    for (const { stage, pid } of this.notes()) {
      const pids = order.get(stage) ?? [];
      if (pids.at(-1) !== pid) pids.push(pid);
      order.set(stage, pids);
    }
    return [...order].filter(([, pids]) => new Set(pids).size < pids.length).map(([stage]) => stage);
  }

  /** Stages that were completed more than once. */
  repeatedStages(): string[] {
    const ends = this.notes().filter(({ what }) => what === 'end');
    return ends.map(({ stage }) => stage).filter((stage, i, all) => all.indexOf(stage) !== i);
  }

  remove(): void {
    this.#remove();
  }
}

/** The events that a sweep printed with `--json`. */
export function eventsOf({ stdout }: Finished): { type: string; stage?: { name: string }; [key: string]: unknown }[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { type: string });
}
