/** The version of the package. Written here as well, so that a bundle needs no package.json; a test keeps them equal. */
export const VERSION = '0.1.0';
