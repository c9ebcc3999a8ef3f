// Calls a server under maintenance: the client repeats what is answered with 5xx.

import elasticio from 'elasticio-rest-node';
import { fails, setting } from './harness.mjs';

const client = elasticio(setting('ADA_KEY'), '');
await fails('users.me', 503, () => client.users.me());
await fails('teams.create', 503, () => client.teams.create({ name: 'Never' }));
