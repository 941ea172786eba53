/** A geometry: images upside down, some of them. */
import type * as json from '../../../src/spec/json-schema.js';
import type { Invented } from '../support.js';
import { crossedReport, planIn, reportIn, TINY } from './sweeps.js';

const TEXT = `
import { z } from 'zod';
import { normalizeImage, type FloatImage } from '../../common/image.js';
import type { GeometryDraw, GeometryEntry } from '../entry.js';

interface UpsideDown {
  kind: 'upside-down';
  share: number;
}

const strengths = z.strictObject({
  share: z.number().min(0).max(1).default(0.5).describe('Share of the images that are turned.'),
});

type Draw = GeometryDraw & { readonly turned: boolean };

export const upsideDown: GeometryEntry<'upside-down', typeof strengths, UpsideDown, Draw> = {
  name: 'upside-down',
  description: 'the input is upside down',
  strengths,
  resolve: ({ share }) => ({ kind: 'upside-down', share }),
  countsRemovedTokensOnly: () => false,
  part: (geometry, imageSize) => ({
    fieldSize: imageSize,
    draw: (random) => ({ placement: null, turned: random.uniform() < geometry.share }),
    move: (field, { turned }) => normalizeImage(turned ? turn(field) : field),
    moveBatch({ tf, ops }, fields, draws) {
      const images = draws.map(({ turned }, i) => {
        const image = tf.slice(fields, [i, 0, 0, 0], [1, -1, -1, -1]);
        return turned ? tf.reverse(image, 1) : image;
      });
      return ops.mixColours(tf.concat(images, 0), [ops.NORMALIZE]);
    },
  }),
};

function turn({ data, height, width }: FloatImage): FloatImage {
  const row = width * 3;
  return { data: data.map((_, i) => data[(height - 1 - Math.floor(i / row)) * row + (i % row)]!), height, width };
}
`;

export const geometry: Invented = {
  title: 'geometry',
  file: { path: 'src/task/geometries/upside-down.ts', text: TEXT },
  listed: {
    path: 'src/task/geometries/index.ts',
    import: "import { upsideDown } from './upside-down.js';",
    after: '  distorted,',
    entry: "  'upside-down': upsideDown,",
  },
  tests(copy) {
    it('is a value of the axis with strengths and defaults of its own', async () => {
      const { jobs } = await planIn(copy, 'grid: {misalignment: upside-down, degradation.upsideDown.share: [0.25, 1]}');
      expect(jobs.map(({ task }) => task!.geometry)).toEqual([
        { kind: 'upside-down', share: 0.25 },
        { kind: 'upside-down', share: 1 },
      ]);
      const [alone] = (await planIn(copy, 'job: {objective: upside-down}')).jobs;
      expect(alone!.task!.geometry).toEqual({ kind: 'upside-down', share: 0.5 });
    });

    it('is described in the JSON Schema', async () => {
      const { sweepJsonSchema } = await copy.load<typeof json>('spec/json-schema');
      const job = 'properties.job.properties';
      const schema = JSON.parse(JSON.stringify(sweepJsonSchema())) as object;
      expect(schema).toHaveProperty(`${job}.misalignment.enum`, [
        'none',
        'zoomed-in',
        'zoomed-out',
        'distorted',
        'upside-down',
      ]);
      expect(schema).toHaveProperty(`${job}.misalignment.description`, expect.stringContaining('is upside down'));
      expect(schema).toHaveProperty(`${job}.degradation.properties.upsideDown.properties.share.default`, 0.5);
    });

    it('completes in a shell, joined with others', async () => {
      expect(await copy.vitmim('completion', 'bash')).toContain('masked+upside-down+blurred');
    });

    it('has a contrast of its own', async () => {
      const effects = (await crossedReport(copy)).rows('effects');
      const found = effects.find(({ effect, level }) => effect === 'misalignment' && level === 'upside-down')!;
      expect(Number(found.estimate)).toBeCloseTo(5.1, 6);
      expect([found.n, found.contexts]).toEqual(['3', '4']);
    });

    it('has rows in the tables of misalignment and of objectives', async () => {
      const { rows } = await crossedReport(copy);
      const own = rows('misalignment').filter(({ misalignment }) => misalignment === 'upside-down');
      expect(own.map(({ mask_ratio, style }) => [mask_ratio, style])).toEqual([
        ['0', 'preserved'],
        ['0', 'inverted'],
        ['0.75', 'preserved'],
        ['0.75', 'inverted'],
      ]);
      const [row] = rows('objectives').filter(({ objective }) => objective === 'upside-down');
      expect(row).toMatchObject({ misalignment: 'upside-down', style: 'preserved', n: '3', paper_accuracy: '' });
    });

    it('has rows joined with a mask, one for each mask ratio', async () => {
      const job = TINY.replace('[knn]', '[knn, {name: probe, protocol: linear, repeats: 2}]');
      const yaml = `job: ${job}\ngrid: {objective: [masked, masked+upside-down], maskRatio: [0.5, 0.75], seed: [0, 1]}`;
      const { rows, page } = await reportIn(copy, 'joined', yaml, ({ task, seed }) => {
        const turned: string = task!.geometry.kind;
        return 100 * task!.maskRatio + (turned === 'upside-down' ? 4 : 0) + seed;
      });
      const expected = [
        ['masked', 'maskRatio=0.5'],
        ['masked', 'maskRatio=0.75'],
        ['masked+upside-down', 'maskRatio=0.5'],
        ['masked+upside-down', 'maskRatio=0.75'],
      ];
      const tasksIn = (table: string) => rows(table).map(({ objective, setting }) => [objective, setting]);
      expect(tasksIn('transfer')).toEqual(expected);
      expect(tasksIn('variance')).toEqual([...expected, ['all', '']]);
      expect(rows('transfer').map(({ knn, mean_rank }) => [knn, mean_rank])).toEqual([
        ['50.5', '4'],
        ['75.5', '2'],
        ['54.5', '3'],
        ['79.5', '1'],
      ]);
      const turned = rows('efficiency').filter(({ objective }) => objective === 'masked+upside-down');
      expect(turned.map(({ difference_to_masked }) => difference_to_masked)).toEqual(['4', '4']);
      const last = rows('objectives').at(-1)!;
      expect(last).toMatchObject({ objective: 'masked+upside-down', mask_ratio: '0.75', misalignment: 'upside-down' });
      expect(page).toContain('0.75 masked+upside-down: 79.50 ± 0.71');
    });

    it('has a line in the chart of misalignments', async () => {
      const { page } = await crossedReport(copy);
      const chart = /<section id="figure-mask-misalignment">[^]*?<\/section>/.exec(page)![0];
      expect(chart).toContain('upside-down: 45.10 ± 0.10 at 0');
    });
  },
};
