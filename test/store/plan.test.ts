import { planSchema } from '../../src/store/records.js';

test('a plan is one of this version, and nothing else that JSON can hold', () => {
  expect(planSchema.safeParse({ version: 1, jobs: [] }).success).toBe(true);
  for (const other of [{ version: 2 }, { jobs: [] }, null, 1, 'version', []]) {
    expect(planSchema.safeParse(other).success).toBe(false);
  }
});
