import fc from 'fast-check';
import {
  correlationFrom,
  idOf,
  parseTraceparent,
} from '../../../../lib/errors/correlation/correlation-ids.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const HEADER = `00-${TRACE}-${SPAN}-01`;

describe('traceparent', () => {
  it('is taken apart', () => {
    expect(parseTraceparent(HEADER)).toEqual({
      version: 0,
      traceId: TRACE,
      parentId: SPAN,
      sampled: true,
    });
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-00`)?.sampled).toBe(false);
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-fe`)?.sampled).toBe(false);
    expect(parseTraceparent(` ${HEADER} `)?.traceId).toBe(TRACE);
  });

  it('of a later version is read as far as it begins the same', () => {
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-the-future-brings`)?.version).toBe(0xcc);
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01`)?.traceId).toBe(TRACE);
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01.more`)).toBeUndefined();
  });

  it.each([
    [undefined],
    [''],
    [[HEADER]],
    [`${HEADER}, ${HEADER}`],
    [`${HEADER}-more`],
    [`ff-${TRACE}-${SPAN}-01`],
    [`00-${'0'.repeat(32)}-${SPAN}-01`],
    [`00-${TRACE}-${'0'.repeat(16)}-01`],
    [HEADER.toUpperCase()],
    [`00-${TRACE.slice(1)}-${SPAN}-01`],
    [`00-${TRACE}-${SPAN}-1`],
    [`00-${TRACE}-${SPAN}`],
    [`0-${TRACE}-${SPAN}-01`],
    [`00-${TRACE}-${SPAN}-01\n`.padEnd(60, 'x')],
    [`cc-${TRACE}-${SPAN}-01-${'x'.repeat(500)}`],
  ])('%j is none', (header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });
});

describe('the ids of a request', () => {
  it('are those of x-correlation-id and traceparent', () => {
    const headers = { 'x-correlation-id': 'a1', 'x-request-id': 'b2', traceparent: HEADER };

    expect(correlationFrom(headers)).toEqual({ correlationId: 'a1', traceId: TRACE });
  });

  it('are those of x-request-id where there is no x-correlation-id that passes', () => {
    expect(correlationFrom({ 'x-request-id': 'b2' })).toEqual({ correlationId: 'b2' });
    expect(correlationFrom({ 'x-correlation-id': 'a 1', 'x-request-id': 'b2' })).toEqual({
      correlationId: 'b2',
    });
  });

  it('are none where nothing says them', () => {
    expect(correlationFrom({})).toEqual({});
    expect(correlationFrom({ traceparent: 'nonsense' })).toEqual({});
  });

  it.each([
    '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
    '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    'Root=1-67891233-abcdef012345678912345678'.replace(';', ''),
    'YWJjZA==',
    'gw:eu-1/req.42~7_x+y',
    'x'.repeat(128),
  ])('%s passes', (id) => {
    expect(idOf(id)).toBe(id);
  });

  it.each<[unknown, string]>([
    ['', 'nothing'],
    ['x'.repeat(129), 'too long'],
    ['a\n{"level":"fatal"}', 'a forged line'],
    ['a\r\nSet-Cookie: x', 'a forged header'],
    ['a\u001b[2J', 'a terminal sequence'],
    ['a\u2028b', 'a line separator'],
    ['a\u202eb', 'text turned round'],
    ['<script>alert(1)</script>', 'markup'],
    ["'; drop table users; --", 'a statement'],
    ['${jndi:ldap://x}', 'a lookup'],
    ['%0d%0a', 'an escaped line'],
    ['a, b', 'two values'],
    ['é', 'another letter'],
    ['a\u0000', 'a zero byte'],
    [['a'], 'a list'],
    [{ toString: () => 'a' }, 'an object'],
    [7, 'a number'],
    [undefined, 'no header'],
  ])('#167 %j does not pass: %s', (id) => {
    expect(idOf(id)).toBeUndefined();
  });

  it('#167 whatever a header says, what passes is short and of plain characters', () => {
    const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.anything(), fc.string());
    fc.assert(
      fc.property(anything, anything, anything, (a, b, c) => {
        const headers = { 'x-correlation-id': a, 'x-request-id': b, traceparent: c };
        for (const id of Object.values(correlationFrom(headers))) {
          expect(id).toMatch(/^[A-Za-z0-9_.:/+=~-]{1,128}$/);
        }
      }),
      { numRuns: 500 },
    );
  });
});
