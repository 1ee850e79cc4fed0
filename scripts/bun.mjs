#!/usr/bin/env node
// Runs a file under the Bun that npm installed: `node scripts/bun.mjs FILE [ARGS]`.
import { runBun } from '../packages/server/bin/bun.mjs';

runBun(process.argv.slice(2));
