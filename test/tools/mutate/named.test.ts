/** The named faults fit the sources, so that none is lost when the code changes. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { mutantsOf } from '../../../tools/mutate/mutants.js';
import { NAMED_FAULTS } from '../../../tools/mutate/named.js';

const ROOT = new URL('../../../../', import.meta.url);

it.each(NAMED_FAULTS.map((fault) => [fault.name, fault] as const))('%s', (name, fault) => {
  const text = readFileSync(fileURLToPath(new URL(fault.file, ROOT)), 'utf8');
  expect(mutantsOf(fault.file, text, [fault]).filter((mutant) => mutant.name === name)).toHaveLength(1);
});
