/** Names of files that can be decoded, in any case. */
export const IMAGE_NAME = /\.(jpe?g|png|webp)$/i;
export const IMAGE_KINDS = '.jpg, .jpeg, .png and .webp';
