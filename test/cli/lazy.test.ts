/** What commands do not load. */
import { resultsMaker } from '../report/support.js';
import { start } from '../support/cli.js';

/** Runs `vitmim ARGS…` without the plotting library. */
async function withoutPlotting(...args: string[]) {
  // The bundle names the modules that it is made of in comments.
  const hook = `export async function load(url, context, next) {
    const loaded = await next(url, context);
    if (/^[/][/] .*node_modules[/]vega-view[/]/m.test(String(loaded.source))) throw new Error('the plotting library is asked for');
    return loaded;
  }`;
  const data = (script: string): string => `data:text/javascript,${encodeURIComponent(script)}`;
  const install = `import { register } from 'node:module'; register(${JSON.stringify(data(hook))});`;
  return start(args, { env: { NODE_OPTIONS: `--import ${data(install)}` } }).finished;
}

const results = resultsMaker();

test('no command but a report loads the plotting library', async () => {
  const folder = results('grid: {objective: [scratch, masked]}', () => ({ accuracy: 40 }));
  expect(await withoutPlotting('report', '--help')).toMatchObject({ code: 0 });
  expect(await withoutPlotting('status', folder)).toMatchObject({ code: 0 });
  const { code, stderr } = await withoutPlotting('report', folder);
  expect(code).not.toBe(0);
  expect(stderr).toContain('the plotting library is asked for');
});
