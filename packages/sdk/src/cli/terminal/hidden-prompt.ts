import type { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { CommandError, EXIT } from '../exit-codes.ts';
import type { TtyInput } from './terminal.ts';

const ENTER = ['\r', '\n'];
const BACKSPACE = ['\x7f', '\b'];
const CTRL_C = '\x03';
const CTRL_D = '\x04';
const CTRL_U = '\x15';

/**
 * Asks on a terminal without showing what is typed.
 *
 * @throws CommandError 130 on Ctrl-C; `failed` when the terminal goes away.
 */
export async function promptHidden(input: TtyInput, output: Writable, question: string): Promise<string> {
  input.setRawMode?.(true); // before the question: what answers it at once must not be echoed
  output.write(question);
  try {
    return await typed(input);
  } finally {
    input.setRawMode?.(false);
    input.pause();
    output.write('\n');
  }
}

function typed(input: TtyInput): Promise<string> {
  const decoder = new StringDecoder('utf8');
  let line: string[] = [];
  return new Promise((resolve, reject) => {
    const stop = () => {
      input.off('data', onData).off('end', onEnd).off('error', onEnd);
    };
    const onEnd = () => {
      stop();
      reject(new CommandError('the terminal went away'));
    };
    const onData = (bytes: Buffer | string) => {
      for (const key of decoder.write(Buffer.from(bytes))) {
        if (ENTER.includes(key) || (key === CTRL_D && line.length === 0)) {
          stop();
          return resolve(line.join(''));
        }
        if (key === CTRL_C) {
          stop();
          return reject(new CommandError('interrupted', EXIT.interrupted));
        }
        if (key === CTRL_U) line = [];
        else if (BACKSPACE.includes(key)) line.pop();
        else line.push(key);
      }
    };
    input.on('data', onData).on('end', onEnd).on('error', onEnd);
    input.resume();
  });
}
