import { axesOf } from '../../src/spec/axes.js';
import { planOf } from '../runner/support.js';

test('the axes of a plan are what varies, with all values, also of cells that are left out', () => {
  const plan = planOf(`
grid:
  objective: [masked, blurred]
  maskRatio: [0, 0.5]
  pretrain.epochs: [20, 30]
  seed: [4, 5, 6, 7]
include:
  - { objective: scratch, seed: [4] }
`);
  expect(axesOf(plan)).toEqual([
    { name: 'objective', values: ['masked', 'blurred', 'scratch'] },
    { name: 'maskRatio', values: ['0.5', '0'] },
    { name: 'pretrain.epochs', values: ['20', '30'] },
    { name: 'seed', values: ['4', '5', '6', '7'] },
  ]);
});

test('the objective is an axis even if there is only one', () => {
  expect(axesOf(planOf('grid: { objective: [masked] }'))).toEqual([{ name: 'objective', values: ['masked'] }]);
});
