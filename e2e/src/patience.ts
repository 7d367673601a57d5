import { jest } from '@jest/globals';

// Imported for this alone: processes start and large bodies pass, on whatever machine the tests run. The five seconds that
// jest gives a test are a measure for code, not for that. What has to be quick is asserted where it is measured.
jest.setTimeout(120_000);
