import { planOf, resultOf } from '../runner/support.js';
import type { ReportData } from '../../src/report/collect.js';
import { provenanceSection, summarizeProvenance } from '../../src/report/provenance.js';
import type { AttemptProvenance, Repository } from '../../src/store/provenance.js';
import { dataOf } from './support.js';

const CLEAN: Repository = { commit: '0123456789abcdef', dirty: false, changed: [], untracked: [], diff: null };
const DIRTY: Repository = { ...CLEAN, dirty: true, changed: ['a.ts'], untracked: ['b', 'c'], diff: 'f'.repeat(64) };

function attempt(
  spec: Repository | null,
  cpu = 'A processor',
  command = ['vitmim', 'sweep', 'x.yaml'],
): AttemptProvenance {
  return {
    origin: { vitmim: { version: '1.0.0', repository: null, lockfile: null }, spec, command },
    machine: { node: 'v20.0.0', platform: 'linux', arch: 'x64', release: '6.0', cpu },
    device: {
      name: 'webgpu',
      description: 'An adapter',
      details: { backend: 'tfjs', adapter: 'An adapter', driver: 'NVIDIA 1.2', blas: null, threads: null },
    },
  };
}

/** One job of two stages with these attempts each, in turn. */
function withAttempts(...attempts: (AttemptProvenance[] | null)[]): ReportData {
  const data = dataOf(planOf('job: {evaluate: [finetune, knn]}\ngrid: {objective: [masked]}'));
  const records = [...data.stages].map(([id, record], index) => {
    const own = attempts[index] ?? null;
    const provenance = own === null ? null : { configuration: 'stage.json' as const, attempts: own };
    return [id, { ...record, provenance }] as const;
  });
  return { ...data, stages: new Map(records) };
}

const section = (data: ReportData): string => provenanceSection(summarizeProvenance(data)).join('\n');

test('equal provenance of several stages is one row', () => {
  const same = [attempt(CLEAN)];
  expect(section(withAttempts(same, same, same))).toBe(`## Provenance

\`\`\`sh
vitmim sweep x.yaml
\`\`\`

| vitmim | the spec's commit | device | machine | Node | stages |
| --- | --- | --- | --- | --- | ---: |
| 1.0.0 | 0123456789 | webgpu: An adapter, driver NVIDIA 1.2 | A processor, linux x64 6.0 | v20.0.0 | 3 |
`);
});

test('the stages of trials count, since the reported values were chosen by them', () => {
  const data = withAttempts([attempt(CLEAN)], [attempt(CLEAN)], [attempt(CLEAN)]);
  const trials = withAttempts([attempt(CLEAN, 'Another')], null).stages;
  const { rows, unrecorded } = summarizeProvenance({ ...data, trials });
  expect(rows.map(({ machine, stages }) => [machine, stages])).toEqual([
    ['A processor, linux x64 6.0', 3],
    ['Another, linux x64 6.0', 1],
  ]);
  expect(unrecorded).toBe(2);
});

test('a stage that went on elsewhere counts in both rows', () => {
  const { rows } = summarizeProvenance(
    withAttempts([attempt(CLEAN), attempt(CLEAN, 'Another')], [attempt(CLEAN)], [attempt(CLEAN)]),
  );
  expect(rows.map(({ machine, stages }) => [machine, stages])).toEqual([
    ['A processor, linux x64 6.0', 3],
    ['Another, linux x64 6.0', 1],
  ]);
});

test('uncommitted changes are reported, with their files and the place of the diff', () => {
  const text = section(withAttempts([attempt(DIRTY)], [attempt(DIRTY)], [attempt(CLEAN)]));
  expect(text).toContain('| 0123456789, dirty |');
  expect(text).toContain(
    `**Not as committed**: at 0123456789, changed \`a.ts\`; untracked \`b\`, \`c\`; ` +
      `the diff is provenance/${DIRTY.diff!}.diff.`,
  );
  expect(text.match(/Not as committed/g)).toHaveLength(1);
});

test('a diff that was not kept is said to be missing', () => {
  const large: Repository = { ...DIRTY, diff: 'too large' };
  expect(section(withAttempts([attempt(large)]))).toContain('; the diff was too large to be kept.');
});

test('commands are quoted, each once', () => {
  const quoted = attempt(CLEAN, 'A', [
    'vitmim',
    'sweep',
    "it's one.yaml",
    '--set',
    'grid.seed=[0,1]',
    '--out',
    '~/my x',
  ]);
  expect(summarizeProvenance(withAttempts([quoted], [quoted], [attempt(CLEAN)])).commands).toEqual([
    "vitmim sweep 'it'\\''s one.yaml' --set 'grid.seed=[0,1]' --out ~/'my x'",
    'vitmim sweep x.yaml',
  ]);
});

test('stages without a record are counted, and those without a result left out', () => {
  const data = withAttempts([attempt(CLEAN)], null, [attempt(DIRTY)]);
  expect(section(data)).toContain('1 stages have no provenance.json.');
  const [first, second, third] = [...data.stages.values()];
  expect(second!.result).toEqual(resultOf('finetune'));
  const unfinished = [first!, { ...third!, result: null }].map((record) => [record.stage.id, record] as const);
  expect(summarizeProvenance({ ...data, stages: new Map(unfinished) })).toMatchObject({
    rows: [{ stages: 1 }],
    dirty: [],
    unrecorded: 0,
  });
});

test('nothing is written if nothing is known', () => {
  expect(section(withAttempts(null, null, null))).toBe('');
});
