import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Debian's Firefox, driven by WebDriver BiDi (W3C): playwright can only drive a build of its own. */
export interface Firefox {
  /** Errors of scripts and of the console. */
  errors: string[];
  goTo: (url: string) => Promise<void>;
  /** Runs an expression in the page until it is true. */
  until: (expression: string) => Promise<void>;
  /** Types into what has the focus. */
  type: (text: string) => Promise<void>;
  close: () => Promise<void>;
}

const POLL_MS = 100;
const ENTER = '\uE007';

/** Opens Debian's Firefox with a profile of its own; FIREFOX names another one. */
export async function openFirefox(): Promise<Firefox> {
  const profile = await mkdtemp(join(tmpdir(), 'zeq-firefox-'));
  const program = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
  const args = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port=0'];
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, HOME: profile },
  });
  const wire = await Wire.open(await addressOf(child));
  await wire.send('session.new', { capabilities: {} });
  const errors: string[] = [];
  wire.onEvent = (method, { level, text }) => {
    if (method === 'log.entryAdded' && level === 'error') errors.push(String(text));
  };
  await wire.send('session.subscribe', { events: ['log.entryAdded'] });
  const { contexts } = await wire.send('browsingContext.getTree', {});
  const context = (contexts as { context: string }[])[0]!.context;
  return {
    errors,
    goTo: async (url) =>
      void (await wire.send('browsingContext.navigate', { context, url, wait: 'complete' })),
    until: (expression) => until(wire, context, expression),
    type: (text) => type(wire, context, text.replaceAll('\n', ENTER)),
    close: async () => {
      wire.close();
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** The test's own time limit is the end of patience. */
async function until(wire: Wire, context: string, expression: string): Promise<void> {
  const ask = async () => {
    const answer = await wire.send('script.evaluate', {
      expression,
      target: { context },
      awaitPromise: true,
    });
    return (answer.result as { value?: unknown } | undefined)?.value === true;
  };
  while (!(await ask())) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

async function type(wire: Wire, context: string, text: string): Promise<void> {
  const actions = [...text].flatMap((value) => [
    { type: 'keyDown', value },
    { type: 'keyUp', value },
  ]);
  await wire.send('input.performActions', { context, actions: [{ type: 'key', id: 'keyboard', actions }] });
}

/** @throws Error with what it said when it ends before it listens. */
async function addressOf(child: ChildProcess): Promise<string> {
  let said = '';
  return await new Promise((resolve, reject) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const found = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(said)?.[1];
      if (found !== undefined) resolve(`${found}/session`);
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`Firefox did not start:\n${said}`)));
  });
}

type Result = Record<string, unknown>;

/** Commands and their answers over one WebSocket. */
class Wire {
  onEvent: (method: string, params: Result) => void = () => undefined;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, { resolve: (result: Result) => void; reject: (err: Error) => void }>();
  #next = 1;

  static async open(address: string): Promise<Wire> {
    const socket = new WebSocket(address);
    await once(socket, 'open');
    return new Wire(socket);
  }

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#take(JSON.parse(String(data))));
  }

  send(method: string, params: Result): Promise<Result> {
    const id = this.#next++;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  close(): void {
    this.#socket.close();
  }

  #take({ id, type: kind, method, params, result, message }: Message): void {
    if (id === undefined) {
      this.onEvent(method ?? '', params ?? {});
      return;
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (kind === 'error') waiting?.reject(new Error(message));
    else waiting?.resolve(result ?? {});
  }
}

interface Message {
  id?: number;
  type: 'success' | 'error' | 'event';
  method?: string;
  params?: Result;
  result?: Result;
  message?: string;
}
