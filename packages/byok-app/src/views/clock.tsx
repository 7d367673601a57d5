import { type TickFault, ZEQOND_MS } from '@zeq/crypto/web';
import { useEffect, useRef } from 'react';
import { clockApi } from '../api/mesh.ts';
import { useResource } from '../api/resource.ts';
import { type SeenTick, type Ticks, useTicks } from '../clock/use-ticks.ts';
import { Badge } from '../ui/badge.tsx';
import { PageHeading } from '../ui/heading.tsx';
import { WarnIcon } from '../ui/icons.tsx';
import { Scroll } from '../ui/scroll.tsx';

/** The clock of the mesh, live; every tick's signature and its link to the one before are checked here. */
export default function ClockView() {
  const ticks = useTicks();
  const latest = ticks.seen[0];
  return (
    <>
      <PageHeading
        title="Clock"
        lead="One Zeqond is 777 ms. Every tick is signed and chained to the one before; your browser checks both, without trusting this page's server."
        actions={<Verdict ticks={ticks} />}
      />
      {ticks.cannotVerify && <Warning text={ticks.cannotVerify} />}
      {ticks.hold && (
        <Warning
          text={`The wall clock was set back. The chain waits ${ticks.hold.behind_ms} ms: it never goes back.`}
        />
      )}
      <div className="clock">
        <section className="card dial" aria-label="Now">
          <Dial timestampMs={latest ? latest.tick.timestamp * 1000 : undefined} />
          <Facts ticks={ticks} />
        </section>
        <TickTable seen={ticks.seen} />
      </div>
    </>
  );
}

const Warning = ({ text }: { text: string }) => (
  <div className="notice notice-warn clock-warning" role="status">
    <WarnIcon />
    <p className="notice-text">{text}</p>
  </div>
);

function Verdict({ ticks: { state, seen, verified, cannotVerify } }: { ticks: Ticks }) {
  const fault = seen[0]?.fault;
  if (state === 'lost') return <Badge tone="bad">Connection lost, trying again</Badge>;
  if (seen.length === 0) return <Badge tone="plain">Connecting</Badge>;
  if (cannotVerify !== null) return <Badge tone="warn">Not verified</Badge>;
  if (fault === 'unattested') return <Badge tone="warn">Not attested</Badge>;
  if (fault !== undefined && fault !== 'missing') return <Badge tone="bad">Broken chain</Badge>;
  return <Badge tone="ok">{verified} verified</Badge>;
}

const RADIUS = 88;
const ROUND = 2 * Math.PI * RADIUS;

/** The phase as a hand that goes round once a Zeqond. It runs outside of React: it moves with every frame. */
function Dial({ timestampMs }: { timestampMs: number | undefined }) {
  const hand = useRef<SVGCircleElement>(null);
  const number = useRef<SVGTextElement>(null);
  const phase = useRef<SVGTextElement>(null);
  // how far this machine's clock is off, by the latest tick
  const offset = useRef(0);
  useEffect(() => {
    if (timestampMs !== undefined) offset.current = timestampMs - Date.now();
  }, [timestampMs]);
  useEffect(() => {
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    let frame = 0;
    const draw = () => {
      const now = Date.now() + offset.current;
      const turn = (now % ZEQOND_MS) / ZEQOND_MS;
      if (!isCalm) hand.current?.setAttribute('stroke-dashoffset', String(ROUND * (1 - turn)));
      if (number.current) number.current.textContent = Math.floor(now / ZEQOND_MS).toLocaleString('en');
      if (phase.current && !isCalm) phase.current.textContent = `phase ${turn.toFixed(2)}`;
      frame = requestAnimationFrame(draw);
    };
    frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, []);
  return (
    <svg viewBox="0 0 200 200" aria-hidden="true">
      <circle className="dial-track" cx="100" cy="100" r={RADIUS} />
      <circle
        ref={hand}
        className="dial-hand"
        cx="100"
        cy="100"
        r={RADIUS}
        strokeDasharray={ROUND}
        strokeDashoffset={ROUND}
        transform="rotate(-90 100 100)"
      />
      <text ref={number} className="dial-number" x="100" y="100" textAnchor="middle" />
      <text ref={phase} className="dial-phase" x="100" y="122" textAnchor="middle" />
    </svg>
  );
}

function Facts({ ticks: { seen } }: { ticks: Ticks }) {
  const status = useResource('sync-status', clockApi.status);
  const tick = seen[0]?.tick;
  const fact = (label: string, value: string | undefined) => (
    <div>
      <dt>{label}</dt>
      <dd className="numbers">{value ?? '–'}</dd>
    </div>
  );
  return (
    <dl className="facts clock-facts">
      {fact('Chain depth', tick?.tesc?.depth.toLocaleString('en'))}
      {fact('Signed by', tick?.tesc && `${tick.tesc.uid} · ${tick.tesc.public_key.slice(0, 8)}…`)}
      {fact('KO42', tick?.ko42.toExponential(3))}
      {fact('Listeners', tick?.connections.toLocaleString('en'))}
      {fact('Lateness p99', status.data && `${status.data.lateness_ms.p99.toFixed(1)} ms`)}
    </dl>
  );
}

const FAULTS: Record<TickFault, string> = {
  shape: 'not a tick',
  plat: 'bad PLAT',
  unattested: 'not attested',
  fields: 'time fields disagree',
  signature: 'bad signature',
  foreign: 'another signer',
  fork: 'second tick of this depth',
  repeated: 'seen before',
  missing: 'follows ticks not seen here',
  order: 'out of order',
  link: 'does not follow',
  gap: 'gap not stated',
};

/** Rows have a fixed count, so nothing moves while they fill. */
const SLOTS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

const TickTable = ({ seen }: { seen: readonly SeenTick[] }) => (
  <Scroll className="card scroll-x" label="The latest ticks">
    <table className="table ticks">
      <caption className="sr-only">The latest ticks</caption>
      <thead>
        <tr>
          <th scope="col">Zeqond</th>
          <th scope="col">Depth</th>
          <th scope="col" className="hide-small">
            Chain
          </th>
          <th scope="col">Checked here</th>
        </tr>
      </thead>
      <tbody className="numbers">
        {SLOTS.map((slot) => (
          <TickRow key={slot} row={seen[slot]} />
        ))}
      </tbody>
    </table>
  </Scroll>
);

function TickRow({ row }: { row: SeenTick | undefined }) {
  if (row === undefined)
    return (
      <tr>
        <td colSpan={4}>&nbsp;</td>
      </tr>
    );
  const { tick, fault, isFirst } = row;
  const tone = fault === undefined ? 'ok' : fault === 'missing' || fault === 'unattested' ? 'warn' : 'bad';
  const words = fault === undefined ? (isFirst ? 'signature' : 'signature and link') : FAULTS[fault];
  return (
    <tr>
      <td className="mono">{tick.zeqond}</td>
      <td>{tick.tesc?.depth.toLocaleString('en') ?? '–'}</td>
      <td className="mono hide-small">{tick.tesc ? `${tick.tesc.chain.slice(0, 12)}…` : '–'}</td>
      <td>
        <Badge tone={tone}>{words}</Badge>
      </td>
    </tr>
  );
}
