/** What is wrong with a .zeq file. A wrong passphrase and a changed header cannot be told apart. */
export type ZeqFileFault =
  | 'not_a_zeq_file'
  | 'unsupported'
  | 'wrong_passphrase_or_header'
  | 'damaged_segment'
  | 'truncated';

const TEXTS: Record<ZeqFileFault, string> = {
  not_a_zeq_file: 'This is not a .zeq file.',
  unsupported: 'This .zeq file has a version, a key derivation or a size that is not supported.',
  wrong_passphrase_or_header: 'The passphrase is wrong, or the header of the file was changed.',
  damaged_segment: 'A part of the file was changed, moved or cut off, or belongs to another file.',
  truncated: 'The file ends too early.',
};

export class ZeqFileError extends Error {
  override name = 'ZeqFileError';
  declare readonly fault: ZeqFileFault;

  constructor(fault: ZeqFileFault) {
    super(TEXTS[fault]);
    Object.defineProperty(this, 'fault', { value: fault, enumerable: true });
  }
}
