// Starts one task with the official client.

import assert from 'node:assert/strict';
import elasticio from 'elasticio-rest-node';
import { setting, succeeds } from './harness.mjs';

const client = elasticio(setting('ADA_KEY'), '');
const id = setting('TASK_ID');
await succeeds('tasks.start', 200, () => client.tasks.start(id), (told) => {
  assert.deepEqual([told.id, told.status], [id, 'active']);
});
