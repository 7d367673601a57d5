import { LocalWindows } from '../src/limits/call-windows.ts';
import { callWindowsContract } from './call-windows.contract.ts';

callWindowsContract('in process', () => new LocalWindows());
