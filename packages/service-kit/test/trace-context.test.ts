import fc from 'fast-check';
import { pushTrace, type Trace, traceIdOf, traceOf } from '../src/trace-context.ts';

const ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const PARENT = `00-${ID}-${SPAN}-01`;

describe('traceOf', () => {
  it('continues the trace of a caller', () => {
    const trace = traceOf(PARENT, 'vendor=t61rcWkgMzE, congo@x=1');

    expect(trace).toEqual({ id: ID, flags: '01', state: 'vendor=t61rcWkgMzE,congo@x=1', isCallers: true });
  });

  it.each([
    ['none', undefined],
    ['an empty one', ''],
    ['capitals', PARENT.toUpperCase()],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span id of zeros', `00-${ID}-${'0'.repeat(16)}-01`],
    ['the version that is none', `ff-${ID}-${SPAN}-01`],
    ['more than version 00 has', `${PARENT}-x`],
    ['a short id', `00-${ID.slice(1)}-${SPAN}-01`],
    ['a blank in front', ` ${PARENT}`],
    ['two in one line', `${PARENT},${PARENT}`],
  ])('begins a new one for %s', (_name, parent) => {
    const trace = traceOf(parent, 'vendor=x');

    expect(trace).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      flags: '00',
      state: undefined,
      isCallers: false,
    });
    expect(trace.id).not.toBe(ID);
  });

  it.each([
    ['01', '01'],
    ['fe', '00'],
    ['ff', '01'],
  ])('understands a later version as far as it is known: flags %s', (flags, known) => {
    expect(traceOf(`cc-${ID}-${SPAN}-${flags}-what-comes`)).toMatchObject({ id: ID, flags: known });
  });

  it.each([
    ['no member', ''],
    ['no value', 'vendor'],
    ['a name in capitals', 'Vendor=x'],
    ['an equals sign in a value', 'vendor=a=b'],
    ['a character beyond ASCII', 'vendor=\u00e4'],
    ['33 members', Array.from({ length: 33 }, (_x, i) => `v${i}=x`).join()],
    ['more than 512 characters', `vendor=${'x'.repeat(250)},other=${'x'.repeat(255)}`],
  ])('keeps the trace and drops a state of %s', (_name, state) => {
    expect(traceOf(PARENT, state)).toMatchObject({ id: ID, state: undefined });
  });

  it('makes headers of any text that a next hop can read', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (parent, state) => {
        const headers: string[] = [];
        pushTrace(headers, traceOf(parent, state));
        expect(headers[1]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
      }),
    );
  });
});

describe('pushTrace', () => {
  const callers: Trace = { id: ID, flags: '01', state: 'vendor=x', isCallers: true };
  const pushed = (trace: Trace, mayLeave?: boolean) => {
    const headers: string[] = [];
    pushTrace(headers, trace, mayLeave);
    return headers;
  };

  it('names a span of its own every time', () => {
    const spans = [pushed(callers), pushed(callers)].map(([, value]) => value!.split('-')[2]);

    expect(new Set([SPAN, ...spans]).size).toBe(3);
  });

  it('gives on what is the caller’s, and keeps the rest within the mesh', () => {
    const parent = expect.stringMatching(`^00-${ID}-[0-9a-f]{16}-01$`);

    expect(pushed(callers)).toEqual(['traceparent', parent, 'tracestate', 'vendor=x']);
    expect(pushed(callers, false)).toEqual(['x-zeq-trace', parent]);
    expect(pushed({ ...callers, isCallers: false, state: undefined })).toEqual(['x-zeq-trace', parent]);
  });
});

describe('traceIdOf', () => {
  it('reads the id of either header, and of nothing else', () => {
    expect(traceIdOf({ traceparent: PARENT })).toBe(ID);
    expect(traceIdOf({ 'x-zeq-trace': PARENT })).toBe(ID);
    expect([traceIdOf({}), traceIdOf({ traceparent: 'x"y' })]).toEqual([undefined, undefined]);
  });
});
