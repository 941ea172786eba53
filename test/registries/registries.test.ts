/** One file and one line add an entry to a registry, and it appears everywhere. A case here is a file in `invented/`. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { augmentation } from './invented/augmentation.js';
import { device } from './invented/device.js';
import { format } from './invented/format.js';
import { corruption } from './invented/corruption.js';
import { dataset } from './invented/dataset.js';
import { evaluation } from './invented/evaluation.js';
import { featureWriter } from './invented/feature-writer.js';
import { geometry } from './invented/geometry.js';
import { mask } from './invented/mask.js';
import { objective } from './invented/objective.js';
import { style } from './invented/style.js';
import { table } from './invented/table.js';
import { target } from './invented/target.js';
import { trainedEvaluation } from './invented/trained-evaluation.js';
import { TINY, writeSpec } from './invented/sweeps.js';
import { copyWith } from './support.js';

const INVENTED = [
  ...[geometry, style, mask, target, objective, table, evaluation, trainedEvaluation],
  ...[dataset, augmentation, format, corruption, featureWriter, device],
];

// Not in a hook: if the copy does not compile, no test runs.
const copy = await copyWith(INVENTED);
afterAll(() => {
  copy.remove();
});

for (const { title, tests } of INVENTED) {
  describe(`an invented ${title}`, () => {
    tests(copy);
  });
}

describe('a sweep with the invented parts of a task', () => {
  const objective = 'masked+upside-down+inverted';
  const axes = `{objective: ${objective}, degradation.mask: stripe, pretrain.target: histogram}`;

  it('names them in its plan', async () => {
    const spec = writeSpec(copy, 'all', `job: ${TINY}\ngrid: ${axes}`);
    expect(await copy.vitmim('plan', spec)).toContain(objective);
  });

  it('names them while it runs, and leaves a preview without a reconstruction', async () => {
    const printed = await copy.vitmim('sweep', 'all.yaml', '--device', 'simd');
    expect(printed).toContain(objective);
    expect(printed).not.toContain('wrote no preview');
    const stages = join(copy.folder, 'results/all/stages');
    expect(readdirSync(stages).filter((id) => existsSync(join(stages, id, 'preview.png')))).toHaveLength(1);
  });
});
