/** Every mask. Adding one is a file beside this and a line here. */
import { registry } from '../../common/registry.js';
import { random } from './random.js';

export const MASKS = registry({
  random,
});
