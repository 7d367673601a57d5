import { LocalWindows } from '../src/call-windows.ts';
import { callWindowsContract } from './call-windows.contract.ts';

callWindowsContract('in process', () => new LocalWindows());
