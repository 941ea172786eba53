/** `vitmim embed` on exported weights against timm. embed.py writes the images and the numbers. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main } from '../../src/cli/main.js';
import { exportFiles } from '../../src/weights/export/files.js';
import { writeExport } from '../../src/weights/export/write.js';
import { captured } from '../support/captured.js';
import { temporaryFolder } from '../support/cli.js';
import { readNpy } from '../support/npy.js';
import { readFixture, unpack, type PackedTensor } from './fixture.js';
import { EXPORT_CASES } from './weights-cases.js';

interface Fixture {
  names: string[];
  cases: Record<
    string,
    { normalisation: number | null; tokens: PackedTensor; features: PackedTensor; transformed: PackedTensor }
  >;
}

const fixture = readFixture('embed/features') as Fixture;
const IMAGES = join(process.cwd(), 'test/parity/fixtures/embed/images');
const root = temporaryFolder();
afterAll(() => {
  root.remove();
});

/** The file of weights of a case, with the configuration that timm writes beside it. */
async function weightsOf(name: string, normalisation: number | null): Promise<string> {
  const { source } = EXPORT_CASES.find((each) => each.name === name)!;
  const folder = join(root.path, name);
  const files = exportFiles('timm', source);
  await writeExport(folder, files, '');
  if (normalisation !== null) {
    const config = files.json['config.json'] as { pretrained_cfg: object };
    const channels = [normalisation, normalisation, normalisation];
    const pretrained = { ...config.pretrained_cfg, mean: channels, std: channels };
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, pretrained_cfg: pretrained }));
    // timm does not read this one, which has the first choice.
    writeFileSync(join(folder, 'preprocessor_config.json'), '{}');
  }
  return join(folder, 'model.safetensors');
}

const difference = (found: Float32Array, expected: PackedTensor): number =>
  Math.max(...unpack(expected).map((value, i) => Math.abs(value - found[i]!)));

describe.each(Object.entries(fixture.cases))('%s', (name, { normalisation, tokens, features, transformed }) => {
  async function embed(...options: string[]) {
    const out = join(root.path, `${name}${options.join('')}.npy`);
    const weights = await weightsOf(name, normalisation);
    const run = await captured(() =>
      main(['embed', IMAGES, '--weights', weights, '--out', out, '--device', 'cpu', ...options]),
    );
    expect([run.value, run.text]).toEqual([0, expect.stringContaining('features of 3 images')]);
    return readNpy(out);
  }

  it('gives the features of timm for images of any shape and format', async () => {
    const { shape, values } = await embed();
    expect(shape).toEqual(features.shape);
    expect(difference(values, features)).toBeLessThan(1e-4);
    // Pillow rounds what it resizes to bytes.
    expect(difference(values, transformed)).toBeLessThan(0.03);
  });

  it('gives its tokens', async () => {
    const { shape, values } = await embed('--tokens');
    expect(shape).toEqual(tokens.shape);
    expect(difference(values, tokens)).toBeLessThan(1e-4);
  });
});
