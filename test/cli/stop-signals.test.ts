import { EventEmitter } from 'node:events';
import { onStopSignals, STOPPING, STOPPING_STAGES } from '../../src/cli/stop-signals.js';

/** A process that gets signals at given milliseconds. */
function listening(signals: Parameters<typeof onStopSignals>[0] = STOPPING) {
  const source = new EventEmitter();
  let clock = 0;
  const request = onStopSignals(signals, { source, now: () => clock });
  const send = (signal: string, at: number): void => {
    clock = at;
    source.emit(signal, signal);
  };
  return { request, send, source };
}

test.each([...STOPPING_STAGES])('%s asks to stop, and is remembered as the reason', (signal) => {
  const { request, send } = listening(STOPPING_STAGES);
  expect([request.stop.aborted, request.by]).toEqual([false, null]);
  send(signal, 0);
  send('SIGTERM', 10);
  expect([request.stop.aborted, request.kill.aborted, request.by]).toEqual([true, false, signal]);
});

test('Ctrl-C again kills', () => {
  const { request, send } = listening();
  send('SIGINT', 0);
  send('SIGINT', 2000);
  expect(request.kill.aborted).toBe(true);
});

test('Ctrl-C that npm passes on as well is one Ctrl-C', () => {
  const { request, send } = listening();
  send('SIGINT', 0);
  send('SIGINT', 5);
  send('SIGINT', 400);
  expect(request.kill.aborted).toBe(false);
  send('SIGINT', 600);
  expect(request.kill.aborted).toBe(true);
});

test.each(['SIGHUP', 'SIGTERM'])('%s never kills, however often it comes', (signal) => {
  const { request, send } = listening();
  for (const at of [0, 1000, 5000]) send(signal, at);
  expect([request.stop.aborted, request.kill.aborted]).toEqual([true, false]);
  send('SIGINT', 9000);
  expect(request.kill.aborted).toBe(true);
});

test('signals have their default effect again once it has ended', () => {
  const { request, source } = listening();
  request.end();
  expect(source.eventNames()).toEqual([]);
});
