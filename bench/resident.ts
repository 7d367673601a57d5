/** Resident bytes by what they are used for. */
export interface ResidentByUse {
  /** Mapped files: the program and its libraries. */
  file: number;
  /** glibc's heap and its arenas, one of which belongs to one or several threads. */
  malloc: number;
  /** All else: the pages of V8's heap, those that it keeps for its next collections, stacks, large buffers. */
  anonymous: number;
}

/** An arena is a reservation of so many bytes that begins at a multiple of them (HEAP_MAX_SIZE of glibc on 64 bits). */
const ARENA_BYTES = 64 * 2 ** 20;
const HEAD = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \d+ *(.*)$/;
const RESIDENT = /^Rss:\s+(\d+) kB/;

interface Mapping {
  start: number;
  end: number;
  isReserve: boolean;
  name: string;
  resident: number;
}

/** @param smaps The text of `/proc/PID/smaps`. */
export function residentByUse(smaps: string): ResidentByUse {
  const mappings = parse(smaps);
  const sums: ResidentByUse = { file: 0, malloc: 0, anonymous: 0 };
  for (const [i, mapping] of mappings.entries()) sums[useOf(mapping, mappings[i + 1])] += mapping.resident;
  return sums;
}

function useOf({ start, name }: Mapping, next: Mapping | undefined): keyof ResidentByUse {
  if (name === '[heap]') return 'malloc';
  if (name.startsWith('/')) return 'file';
  // an arena grows into the reservation behind it
  const isArena = start % ARENA_BYTES === 0 && next?.isReserve && next.end === start + ARENA_BYTES;
  return name === '' && isArena ? 'malloc' : 'anonymous';
}

function parse(smaps: string): Mapping[] {
  const mappings: Mapping[] = [];
  for (const line of smaps.split('\n')) {
    const head = HEAD.exec(line);
    const resident = RESIDENT.exec(line);
    if (head !== null)
      mappings.push({
        start: Number.parseInt(head[1]!, 16),
        end: Number.parseInt(head[2]!, 16),
        isReserve: head[3] === '---p',
        name: head[4]!,
        resident: 0,
      });
    else if (resident !== null) mappings.at(-1)!.resident = Number(resident[1]) * 1024;
  }
  return mappings;
}
