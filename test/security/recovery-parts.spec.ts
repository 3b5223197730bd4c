import { FakeClock } from 'nestjs-bulwark/testing';
import { FailureLimiter } from '../../lib/nest/recovery/access/failure-limiter.js';
import { checkBody } from '../../lib/nest/recovery/access/request-rules.js';
import { addressOf } from '../../lib/nest/recovery/access/requests.js';
import { Secrets } from '../../lib/nest/recovery/access/secrets.js';
import { DANGER, OPERATE, READ } from '../nest/recovery/gate-host.js';

describe('the parts of the gate', () => {
  it('#140 the limiter keeps at most 10,000 addresses, and one does not count for another', () => {
    const limiter = new FailureLimiter(new FakeClock());

    for (let i = 0; i < 20_000; i += 1) limiter.failed(`address ${i}`);
    expect(limiter.size).toBe(10_000);
    for (let i = 0; i < 1_000; i += 1) limiter.failed('elsewhere');
    expect(limiter.blocked('elsewhere')).toBe(60_000);
    expect(limiter.blocked('here')).toBeUndefined();
  });

  it('#139 an address is that of the socket, IPv4 in IPv6 undone, IPv6 by its network', () => {
    const of = (remoteAddress?: string): string =>
      addressOf({ socket: { remoteAddress } } as never);

    expect(of('::ffff:127.0.0.1')).toBe('127.0.0.1');
    expect(of('10.1.2.3')).toBe('10.1.2.3');
    expect(of('::1')).toBe('::1');
    expect(of('2001:db8:1:2:3:4:5:6')).toBe(of('2001:db8:1:2::9'));
    expect(of('2001:db8:1:3::9')).not.toBe(of('2001:db8:1:2::9'));
    expect(of('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    expect(of()).toBe('local');
  });

  it('#138 secrets of every length are compared without a throw, and only the right one is found', () => {
    const secrets = new Secrets({ read: READ, danger: [OPERATE, DANGER] });

    for (let length = 0; length <= 1_000; length += 1) {
      expect(secrets.find('x'.repeat(length))).toBeUndefined();
      expect(secrets.find('é漢😀'.repeat(length).slice(0, length))).toBeUndefined();
    }
    expect(secrets.find(READ)?.level).toBe('read');
    expect(secrets.find(OPERATE)?.level).toBe('danger');
    expect(secrets.find(DANGER)?.actor).toMatch(/^danger-token:[\da-f]{8}$/);
  });

  it('a body that the application does not parse is refused, and not taken for none', () => {
    const request = (rawHeaders: string[], body?: unknown): object => ({
      method: 'POST',
      headers: {},
      rawHeaders: ['Content-Type', 'application/json', ...rawHeaders],
      body,
    });

    expect(() => checkBody(request(['Content-Length', '16']))).toThrow('was not read');
    expect(() => checkBody(request(['Content-Length', '16'], { dry_run: true }))).not.toThrow();
    expect(() => checkBody(request(['Content-Length', '0']))).not.toThrow();
    let deep: unknown = 1;
    for (let i = 0; i < 200_000; i += 1) deep = [deep];
    expect(() => checkBody(request(['Content-Length', '9'], deep))).toThrow('16384 bytes');
  });
});
