/** The kernels of this backend, as tfjs knows them. */
import { kernelsOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';

export const BACKEND_NAME = 'webgpu';

export const defineKernel = kernelsOf<VitBackend>(BACKEND_NAME);
