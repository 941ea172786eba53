/** Mutated specs through `vitmim plan`: each is a plan or a message, in a bounded time. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stream } from '../../src/common/random.js';
import { main } from '../../src/cli/main.js';
import { captured } from '../support/captured.js';
import { mutateBytes, pick } from './hostile.js';
import { faultsOf } from './judge.js';

const PIECES = [
  ...[
    '',
    ' ',
    '\n',
    '\n  ',
    ':',
    ': ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '#',
    '&a ',
    '*a',
    '<<: *a',
    '!!str ',
    '|',
    '>',
    '---\n',
    '\t',
  ],
  ...[
    'null',
    '~',
    'true',
    '0',
    '-1',
    '1.5',
    '1e999',
    '.nan',
    '.inf',
    '0x10',
    '1_000',
    '20001',
    '99999999999',
    '[0, 1]',
    '[[0, 1]]',
  ],
  ...[
    'job',
    'grid',
    'zip',
    'include',
    'exclude',
    'seed',
    'objective',
    'maskRatio',
    'pretrain.epochs',
    '__proto__',
    'constructor',
  ],
  ...[
    'masked',
    'scratch',
    'masked+blurred',
    'vit-l',
    '../x',
    '"\\u001b]0;x\\u0007"',
    '\u202e',
    '\u0000',
    '𝟘',
    'x'.repeat(5000),
  ],
];

/** The specs of experiments, and one that has every section. */
function specs(): string[] {
  const folder = join(process.cwd(), 'experiments');
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  const own = files.map((name) => readFileSync(join(folder, name), 'utf8'));
  return [
    ...own.filter((text) => text.includes('name: shapes')),
    readFileSync(join(process.cwd(), 'test/fuzz/spec.yaml'), 'utf8'),
  ];
}

/** What is wrong with how case number `seed` is answered; none: nothing. */
export async function fuzzSpec(seed: number, root: string): Promise<string[]> {
  const random = stream(17, 'spec', seed);
  let text = pick(random, specs());
  for (let i = 0; i <= random.integer(4); i++) {
    if (random.integer(5) === 0) text = mutateBytes(Buffer.from(text), random).toString('utf8');
    else {
      const at = random.integer(text.length + 1);
      text = text.slice(0, at) + pick(random, PIECES) + text.slice(at + random.integer(12));
    }
  }
  mkdirSync(root, { recursive: true });
  const file = join(root, 'spec.yaml');
  writeFileSync(file, text);
  const { value: code, text: said } = await captured(() => main(['plan', file, '--out', join(root, 'results')]));
  return faultsOf({ code, text: said }, [0, 2]);
}
