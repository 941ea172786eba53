import { environmentProblem } from '../../src/common/environment.js';

const coded = (code: string, message = ''): Error => Object.assign(new Error(message), { code });

test('packages that are missing and limits that are too low are usage errors with a remedy', () => {
  expect(environmentProblem(coded('EMFILE'))?.message).toContain('ulimit -n 1024');
  const missing = coded('ERR_MODULE_NOT_FOUND', "Cannot find package 'koffi' imported from x.js");
  expect(environmentProblem(missing)?.message).toMatch(/cannot find koffi; .*npm install --include=optional/);
  const library = new Error('Could not load the "sharp" module using the linux-x64 runtime\nPossible solutions:');
  expect(environmentProblem(library)?.message).toMatch(/sharp.*linux-x64.*npm install --include=optional/);
});

test('any other error is none of them', () => {
  for (const error of [coded('ENOENT'), new Error('x'), 'x', null]) expect(environmentProblem(error)).toBeNull();
});
