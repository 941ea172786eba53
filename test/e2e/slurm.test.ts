/** A sweep through a real Slurm of one node, submitted by the real executable. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { slurmStates } from '../../src/runner/slurm/states.js';
import type { Submission } from '../../src/runner/slurm/submission.js';
import type { Stage } from '../../src/spec/stages.js';
import { readJson } from '../../src/store/files.js';
import { sweepPaths } from '../../src/store/layout.js';
import { stateSchema, type StageState } from '../../src/store/records.js';
import { temporaryFolder, vitmim } from '../support/cli.js';
import { planIn } from '../support/plan.js';
import { ask, hasSlurm, startSlurm, until } from '../support/slurm.js';

const TINY = `
job:
  data: { name: shapes, imageSize: 16, trainImages: 40, testImages: 20 }
  model: { dim: 8, depth: 1, heads: 2, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 2, batchSize: 8, warmupEpochs: 1 }
  finetune: { epochs: 2, batchSize: 8, warmupEpochs: 1 }
`;

const folder = temporaryFolder();
let stopSlurm = (): Promise<void> => Promise.resolve();
beforeAll(async () => {
  if (hasSlurm) stopSlurm = await startSlurm();
});
afterAll(async () => {
  await stopSlurm();
  folder.remove();
});

class Sweep {
  /** With a space in it, which every path that Slurm reads must bear. */
  readonly out: string;
  readonly #spec: string;

  constructor(name: string, text: string) {
    this.out = join(folder.path, `out of ${name}`);
    this.#spec = join(folder.path, `${name}.yaml`);
    writeFileSync(this.#spec, text);
  }

  run(...args: string[]) {
    return vitmim(['sweep', this.#spec, '--out', this.out, '--device', 'simd', '--launcher', 'slurm', ...args]);
  }

  async submit(...args: string[]): Promise<Submission> {
    const { code, stdout, stderr } = await this.run('--json', ...args);
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as Submission;
  }

  get stages(): Stage[] {
    return planIn(this.out).stages;
  }

  files(stage: Stage) {
    return sweepPaths(this.out).stage(stage.id);
  }

  /** `state.json` of a stage. */
  record(stage: Stage): StageState | undefined {
    return readJson(this.files(stage).state, stateSchema);
  }

  /** Slurm's state of each stage. */
  async states(): Promise<(string | undefined)[]> {
    const states = await slurmStates(this.out);
    return this.stages.map(({ id }) => states.get(id)?.state);
  }

  async ended(): Promise<void> {
    const over = ['COMPLETED', 'FAILED', 'CANCELLED'];
    await until(`${this.out} is over`, async () => (await this.states()).every((state) => over.includes(state ?? '')));
  }

  /** Waits until the attempt of that number at a stage has read some losses. */
  async training(stage: Stage, attempt: number): Promise<void> {
    const readings = (): number => readLines(this.files(stage).metrics);
    await until(`attempt ${attempt} runs`, () => this.record(stage)?.attempt === attempt);
    const before = readings();
    await until('it trains', () => readings() > before);
  }
}

const readLines = (file: string): number => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').length : 0);

(hasSlurm ? describe : describe.skip)('on Slurm, a sweep', () => {
  it('runs every stage, a child once its own parent is done', async () => {
    const sweep = new Sweep('whole', `${TINY}grid: { objective: [scratch, masked] }\n`);
    const { arrays } = await sweep.submit();
    expect(arrays.map(({ name, parent, tasks }) => [name, parent, tasks.length])).toEqual([
      ['level-0', null, 2],
      ['level-1', 'level-0', 1],
    ]);
    const child = sweep.stages.find(({ parent }) => parent !== null)!;
    const parent = sweep.stages.find(({ id }) => id === child.parent)!;
    const seen = async (stage: Stage) => (await slurmStates(sweep.out)).get(stage.id);
    await until('the child waits for its parent', async () => (await seen(child))?.reason === 'Dependency');
    expect(await seen(child)).toEqual({ state: 'PENDING', job: `${arrays[1]!.job}_0`, reason: 'Dependency' });
    await until('the parent runs', async () => (await seen(parent))?.state === 'RUNNING');
    await sweep.ended();
    expect(await sweep.states()).toEqual(['COMPLETED', 'COMPLETED', 'COMPLETED']);
    for (const stage of sweep.stages) expect(existsSync(sweep.files(stage).result)).toBe(true);
    expect(sweep.record(child)!.startedAt >= sweep.record(parent)!.endedAt!).toBe(true);

    const again = await sweep.run();
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain('nothing to run');
  });

  it('loses only the children of a stage that fails', async () => {
    const rates = 'grid: { objective: [masked], pretrain.baseLearningRate: [1.0e-3, 1.0e+30] }\n';
    const sweep = new Sweep('half', TINY + rates);
    await sweep.submit();
    await sweep.ended();
    const states = await slurmStates(sweep.out);
    const ends = sweep.stages.map((stage) => {
      const rate = rateOf(stage) ?? rateOf(sweep.stages.find(({ id }) => id === stage.parent)!);
      return [stage.config.kind, rate, states.get(stage.id)?.state, sweep.record(stage)?.status];
    });
    expect(ends.sort()).toEqual([
      ['finetune', 1e-3, 'COMPLETED', 'done'],
      ['finetune', 1e30, 'CANCELLED', undefined],
      ['pretrain', 1e-3, 'COMPLETED', 'done'],
      ['pretrain', 1e30, 'FAILED', 'failed'],
    ]);
    const failed = sweep.stages.find((stage) => rateOf(stage) === 1e30)!;
    expect(ask('scontrol', ['show', 'job', states.get(failed.id)!.job])).toContain('Restarts=0');
  });

  it('submits the trials of a selection, and then the runs of the chosen values only', async () => {
    const job = TINY.replace('testImages: 20', 'testImages: 20, validation: 0.5').replace(
      'job:',
      'job:\n  evaluate: [knn]',
    );
    const choice =
      'grid: { objective: [scratch], seed: [0] }\nselect: { by: knn, over: { knn.k: [1, 5] }, seeds: [100] }\n';
    const sweep = new Sweep('selecting', job + choice);
    const first = await sweep.run();
    expect(first).toMatchObject({ code: 1 });
    expect(first.stderr).toContain('2 stages may be needed later (waits for trials by knn on validation)');
    const seeds = (of: readonly Stage[]) => of.map(({ config }) => `${config.kind} ${config.seed}`).sort();
    const done = (): Stage[] => sweep.stages.filter((stage) => sweep.record(stage)?.status === 'done');
    await until('the trials are done', () => done().length === 2);
    expect(seeds(done())).toEqual(['knn 100', 'knn 100']);

    expect(await sweep.run()).toMatchObject({ code: 0, stderr: expect.not.stringContaining('later') as string });
    await until('the run of the chosen value is done', () => done().length === 3);
    expect(seeds(done())).toEqual(['knn 0', 'knn 100', 'knn 100']);
    const last = await sweep.run();
    expect(last).toMatchObject({ code: 0 });
    expect(last.stdout).toContain('nothing to run (1 stage not needed: other values were chosen by knn on validation)');
  });

  it('continues after its time limit, is submitted once, and is cancelled', async () => {
    const sweep = new Sweep('long', `${TINY.replace('epochs: 2', 'epochs: 20000')}grid: { objective: [masked] }\n`);
    const { id, arrays } = await sweep.submit('--sbatch', 'comment=a run # 1', '--sbatch', 'nice');
    expect(ask('scontrol', ['show', 'job', arrays[0]!.job])).toContain('Comment=a run # 1');
    const [pretrain, finetune] = sweep.stages as [Stage, Stage];
    await sweep.training(pretrain, 1);

    const twice = await sweep.run();
    expect(twice.code).toBe(0);
    expect(twice.stdout).toContain('2 stages of earlier submissions wait or run; end them: vitmim cancel');

    // As Slurm does ahead of the time limit.
    ask('scancel', ['--signal=USR1', '--batch', `${arrays[0]!.job}_0`]);
    await until('it is requeued', async () => (await sweep.states())[0] === 'PENDING');
    expect(sweep.record(pretrain)!.status).toBe('interrupted');
    await sweep.training(pretrain, 2);
    expect(await sweep.states()).toEqual(['RUNNING', 'PENDING']);
    const log = join(sweep.out, 'slurm', id, `level-0-${arrays[0]!.job}_0.log`);
    expect(readFileSync(log, 'utf8')).toMatch(/run .* steps, from step [1-9]/);

    const { code, stdout } = await vitmim(['cancel', sweep.out, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ jobs: arrays.map(({ job }) => job).sort(), tasks: 2 });
    await sweep.ended();
    expect(await sweep.states()).toEqual(['CANCELLED', 'CANCELLED']);
    await until('it has stopped', () => sweep.record(pretrain)!.status === 'interrupted');
    expect(sweep.record(pretrain)!.attempt).toBe(2);
    expect(sweep.record(finetune)).toBeUndefined();
    expect((await vitmim(['cancel', sweep.out])).stdout).toContain('no live jobs');
  });
});

const rateOf = ({ config }: Stage): number | undefined =>
  config.kind === 'pretrain' ? config.recipe.baseLearningRate : undefined;
