/** Workers, the sweep, or both are killed (-9) at random moments: nothing is lost and nothing runs twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { stream } from '../../src/common/random.js';
import { kill, until } from '../support/cli.js';
import { Rig } from '../support/rig.js';

const KILLS = 80;
/** A kill comes after up to so many events of the workers, so that every phase of a run is met. */
const MOST_EVENTS = 8;
/** And up to so much later: between two events. */
const LATER_MS = 30;

it(`survives ${KILLS} kills at random moments`, async () => {
  const random = stream(0, 'kills');
  const grid = '{ objective: [scratch, masked, zoomed-in, decolorized], seed: [0, 1] }';
  const whole = new Rig({ grid, stepMs: 25 });
  expect((await whole.sweep(['--jobs', '2']).finished).code).toBe(0);
  const expected = await whole.runsCsv();
  whole.remove();

  let kills = 0;
  for (let sweeps = 0; kills < KILLS; sweeps++) {
    const rig = new Rig({ grid, stepMs: 25 });
    let code: number | null = null;
    for (let runs = 0; code !== 0; runs++) {
      if (runs > 100) throw new Error('the sweep makes no progress');
      const running = rig.sweep(['--jobs', '2', '--max-attempts', '20']);
      while (running.child.exitCode === null && running.child.signalCode === null && kills < KILLS) {
        const events = rig.notes().length + random.integer(MOST_EVENTS);
        const hasEnded = (): boolean => running.child.exitCode !== null || running.child.signalCode !== null;
        await until('so much has happened', () => hasEnded() || rig.notes().length >= events);
        await Promise.race([sleep(random.integer(LATER_MS)), running.finished]);
        const victims = chooseVictims(rig, running.child.pid!, random.integer(3));
        for (const pid of victims) kill(pid);
        kills += victims.length > 0 ? 1 : 0;
      }
      ({ code } = await running.finished);
    }
    expect({ shared: rig.sharedStages(), repeated: rig.repeatedStages() }).toEqual({ shared: [], repeated: [] });
    expect(await rig.runsCsv()).toBe(expected);
    rig.remove();
  }
}, 540_000);

/** The sweep, the worker that began last, or both. */
function chooseVictims(rig: Rig, sweep: number, which: number): number[] {
  const worker = rig.notes().findLast(({ what }) => what === 'start')?.pid;
  const workers = worker === undefined ? [] : [worker];
  return which === 0 ? [sweep] : which === 1 ? workers : [sweep, ...workers];
}
