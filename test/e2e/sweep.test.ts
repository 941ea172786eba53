/** A sweep from spec to tables through the real executable, interrupted, failed and repeated. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { Plan } from '../../src/spec/stages.js';
import { sweepPaths } from '../../src/store/layout.js';
import { readState } from '../../src/store/state.js';
import { start, temporaryFolder, vitmim } from '../support/cli.js';
import { planIn } from '../support/plan.js';

const TINY = `
job:
  data: { name: shapes, imageSize: 16, trainImages: 40, testImages: 20 }
  model: { dim: 8, depth: 1, heads: 2, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 2, batchSize: 8, warmupEpochs: 1 }
  finetune: { epochs: 2, batchSize: 8, warmupEpochs: 1 }
`;

const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});

function specFile(name: string, text: string): string {
  const file = join(folder.path, `${name}.yaml`);
  writeFileSync(file, text);
  return file;
}

const results = (out: string): string[] =>
  readdirSync(join(out, 'stages')).filter((id) => existsSync(join(out, 'stages', id, 'result.json')));

describe('a sweep', () => {
  const spec = specFile(
    'tiny',
    `${TINY}grid: { objective: [scratch, masked, decolorized, identity], maskRatio: [0.75] }\n`,
  );
  const out = join(folder.path, 'tiny');
  const args = ['sweep', spec, '--out', out, '--device', 'simd'];

  it('runs every stage, each once', async () => {
    const { code, stdout, stderr } = await vitmim(args);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    // masked and identity at 0.75 are one job; decolorized at 0.75 another; scratch has no pre-training.
    const plan = planIn(out);
    expect(plan.jobs).toHaveLength(3);
    expect(results(out).sort()).toEqual(plan.stages.map(({ id }) => id).sort());
    expect(stderr).toContain(`vitmim report ${out}`);
  });

  it('runs small stages one after the other in a process for each job', () => {
    const paths = sweepPaths(out);
    const processes = new Set(planIn(out).stages.map(({ id }) => readState(paths.stage(id))!.pid));
    expect(processes.size).toBeLessThanOrEqual(availableParallelism());
  });

  it('runs nothing the second time', async () => {
    const { code, stdout } = await vitmim([...args, '--json']);
    expect(code).toBe(0);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(events.filter(({ type }) => type === 'stage-hit')).toHaveLength(5);
    expect(events.some(({ type }) => type === 'stage-started')).toBe(false);
  });

  it('shows in a dry run that all is done', async () => {
    const { code, stdout } = await vitmim([...args, '--dry-run']);
    expect(code).toBe(0);
    expect(stdout).toContain('5 done already');
  });

  it('runs only what a changed key concerns', async () => {
    const { code, stdout } = await vitmim([...args, '--json', '--set', 'job.finetune.epochs=3']);
    expect(code).toBe(0);
    const kinds = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; stage?: { kind: string } })
      .filter(({ type }) => type === 'stage-started')
      .map(({ stage }) => stage!.kind);
    expect(kinds).toEqual(['finetune', 'finetune', 'finetune']);
  });

  it('becomes tables', async () => {
    expect((await vitmim(args)).code).toBe(0); // the plan of the file itself again
    const { code, stdout } = await vitmim(['report', out]);
    expect(stdout).toContain('masked');
    expect([0, 1]).toContain(code); // 1: most of the paper's objectives are missing here
    const runs = parse<Record<string, string>>(readFileSync(join(out, 'tables', 'runs.csv')), { columns: true });
    expect(runs).toHaveLength(3);
    expect(existsSync(join(out, 'tables', 'objectives.csv'))).toBe(true);
    expect(existsSync(join(out, 'tables', 'integration.csv'))).toBe(true);
    expect(readFileSync(join(out, 'report.md'), 'utf8')).toContain('| masked');
  });

  it('refuses to write into the folder of another sweep', async () => {
    const other = specFile('other', TINY);
    const { code, stderr } = await vitmim(['sweep', other, '--out', out, '--device', 'simd']);
    expect(code).toBe(2);
    expect(stderr).toContain('choose another --out');
  });
});

describe('an interrupted sweep', () => {
  it('keeps a checkpoint, exits with 130 and continues to the same numbers', async () => {
    const spec = specFile('long', `${TINY.replace('epochs: 2', 'epochs: 100')}grid: { objective: [masked] }\n`);
    const [whole, broken] = [join(folder.path, 'whole'), join(folder.path, 'broken')];
    const args = (out: string): string[] => ['sweep', spec, '--out', out, '--device', 'simd', '--jobs', '1'];

    const running = start([...args(broken), '--json']);
    const [pretrain] = await new Promise<string[]>((resolve) => {
      running.child.stdout!.on('data', (chunk: Buffer) => {
        const step = /"type":"stage-progress".*"step":(\d+)/.exec(chunk.toString());
        if (step && Number(step[1]) >= 20) resolve([planIn(broken).stages[0]!.id]);
      });
    });
    running.child.kill('SIGINT');
    expect((await running.finished).code).toBe(130);
    expect(existsSync(join(broken, 'stages', pretrain!, 'checkpoint.safetensors'))).toBe(true);
    expect(results(broken)).toEqual([]);

    expect((await vitmim(args(broken))).code).toBe(0);
    expect((await vitmim(args(whole))).code).toBe(0);
    for (const { id } of planIn(whole).stages) {
      const weights = (out: string): Buffer => readFileSync(join(out, 'stages', id, 'checkpoint.safetensors'));
      expect(weights(broken).equals(weights(whole))).toBe(true);
    }
  });
});

describe('a damaged checkpoint', () => {
  const spec = specFile('torn', `${TINY}  evaluate: [knn]\ngrid: { objective: [masked] }\n`);
  const out = join(folder.path, 'torn');
  const args = ['sweep', spec, '--out', out, '--device', 'simd', '--jobs', '1'];
  const damage = (path: string): void => {
    writeFileSync(path, readFileSync(path).subarray(0, 3000));
  };

  it('is reported, and costs time but changes no number', async () => {
    expect((await vitmim(args)).code).toBe(0);
    const stage = join(out, 'stages', planIn(out).stages[0]!.id);
    const checkpoint = join(stage, 'checkpoint.safetensors');
    const before = readFileSync(checkpoint);
    rmSync(join(stage, 'result.json'));
    damage(checkpoint);
    const { code, stderr } = await vitmim(args);
    expect(code).toBe(0);
    expect(stderr).toContain(`${checkpoint} is damaged: it is cut short; going on from the checkpoint before it`);
    expect(readFileSync(checkpoint).equals(before)).toBe(true);
  });

  it('of a parent is made again before a stage starts from it, with the same bits', async () => {
    const [pretrain, knn] = planIn(out).stages.map(({ id }) => join(out, 'stages', id));
    const checkpoint = join(pretrain!, 'checkpoint.safetensors');
    const before = readFileSync(checkpoint);
    rmSync(join(knn!, 'result.json'));
    damage(checkpoint);
    const { code, stderr } = await vitmim(args);
    expect(code).toBe(0);
    expect(stderr).toContain('its checkpoint is damaged: it is cut short, and a stage that is to run begins from it');
    expect(readFileSync(checkpoint).equals(before)).toBe(true);
  });
});

describe('a sweep with a failing job', () => {
  it('names the reason, runs the rest and exits with 1', async () => {
    const spec = specFile(
      'failing',
      `${TINY}grid: { objective: [scratch, masked], pretrain.baseLearningRate: [1.0e+30] }\n`,
    );
    const out = join(folder.path, 'failing');
    const { code, stderr } = await vitmim(['sweep', spec, '--out', out, '--device', 'simd']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/the loss became (NaN|Infinity)|the loss was/);
    expect(stderr).toContain('lower baseLearningRate');
    expect(stderr).toContain('log.txt');
    expect(results(out)).toHaveLength(1); // scratch
  });
});

describe('plan --json', () => {
  it('prints the plan with contradictions and their reasons, and writes nothing', async () => {
    const spec = specFile('grid', `${TINY}grid: { objective: [masked, zoomed-in], misalignment: [none, zoomed-in] }\n`);
    const out = join(folder.path, 'planned');
    const { code, stdout } = await vitmim(['plan', spec, '--out', out, '--json']);
    expect(code).toBe(0);
    const plan = JSON.parse(stdout) as Plan;
    expect(plan.jobs).toHaveLength(3);
    expect(plan.leftOut).toHaveLength(1);
    expect(plan.leftOut[0]!.cell.objective).toBe('zoomed-in');
    expect(existsSync(out)).toBe(false);
  });
});
