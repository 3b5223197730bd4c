import { jest } from '@jest/globals';
import { systemClock } from '../../../lib/pipeline/system-clock.js';

afterEach(() => {
  jest.useRealTimers();
});

describe('#96 the platform’s clock under fake timers', () => {
  it('#96 does not go back when they come and when they leave', () => {
    const readings = [systemClock.now()];
    for (let i = 0; i < 3; i += 1) {
      jest.useFakeTimers();
      readings.push(systemClock.now());
      jest.advanceTimersByTime(10_000);
      readings.push(systemClock.now());
      jest.useRealTimers();
      readings.push(systemClock.now());
    }

    expect(readings).toEqual(readings.toSorted((a, b) => a - b));
  });

  it('#96 moves with them, timers too', () => {
    jest.useFakeTimers();
    const [start, epoch] = [systemClock.now(), systemClock.epoch()];
    let fired: number | undefined;
    systemClock.schedule(() => (fired = systemClock.now() - start), 500);
    const cancel = systemClock.schedule(() => (fired = -1), 400);
    cancel();

    jest.advanceTimersByTime(499);
    expect(fired).toBeUndefined();
    jest.advanceTimersByTime(1);
    expect(fired).toBeCloseTo(500);
    expect(systemClock.epoch() - epoch).toBe(500);
  });

  it('#47 #96 a wait longer than a timer can hold is not cut short', () => {
    jest.useFakeTimers();
    const days = 86_400_000;
    let fired = false;
    systemClock.schedule(() => (fired = true), 30 * days);

    jest.advanceTimersByTime(30 * days - 1);
    expect(fired).toBe(false);
    jest.advanceTimersByTime(1);
    expect(fired).toBe(true);
  });
});
