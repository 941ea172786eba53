/** Defines kernels of this backend. */
import { kernelsOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';

export const BACKEND_NAME = 'webgpu';

export const defineKernel = kernelsOf<VitBackend>(BACKEND_NAME);
