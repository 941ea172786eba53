import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/', 'dist-*/', 'results/', 'experiments/', 'src/backends/simd/assembly/'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `const { path: _, ...rest } = data` is how a member is left out.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      // `matrix[i]!` in numeric inner loops, where the index is the loop's own bound.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    // A shader's builder may read only its arguments, from which the pipeline's key is made: inside of a function it could
    // also read local variables.
    files: ['src/backends/webgpu/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: ':function CallExpression[callee.name="definePass"]',
          message: 'Call definePass at the top level.',
        },
      ],
    },
  },
);
