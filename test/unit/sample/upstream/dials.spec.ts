import { DIALS_DEFAULTS, turned } from '../../../../sample/banking-stage/src/upstream/dials.js';

describe('turning the dials', () => {
  it('changes what is named and leaves the rest', () => {
    const dials = turned({ ...DIALS_DEFAULTS, latencyMs: 40 }, { outage: 'hang', errorRate: 0.5 });

    expect(dials).toEqual({ latencyMs: 40, errorRate: 0.5, outage: 'hang', blocked: [] });
  });

  it.each([
    ['nothing', undefined, 'send an object'],
    ['a list', [], 'send an object'],
    ['a dial that is not there', { volume: 11 }, 'there is no dial "volume"'],
    ['a dial of Object.prototype', { toString: 1 }, 'there is no dial "toString"'],
    ['a negative latency', { latencyMs: -1 }, 'latencyMs cannot be -1'],
    ['a latency of hours', { latencyMs: 1e9 }, 'latencyMs cannot be'],
    ['a rate above one', { errorRate: 2 }, 'errorRate cannot be 2'],
    ['a rate as text', { errorRate: '0.5' }, 'errorRate cannot be "0.5"'],
    ['an unknown outage', { outage: 'maybe' }, 'outage cannot be "maybe"'],
    ['blocked that is no list', { blocked: 'eve' }, 'blocked cannot be "eve"'],
  ])('refuses %s', (_, change, message) => {
    expect(turned(DIALS_DEFAULTS, change)).toContain(message);
  });
});
