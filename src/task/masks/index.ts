/** Every mask. To add one, add a file in this folder and a line here. */
import { registry } from '../../common/registry.js';
import { random } from './random.js';

export const MASKS = registry({
  random,
});
