#!/usr/bin/env node
import { join } from 'node:path';
import { runBun } from './bun.mjs';

runBun([join(import.meta.dirname, '..', 'src', 'main.ts'), ...process.argv.slice(2)]);
