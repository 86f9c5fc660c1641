#!/usr/bin/env node
import process from 'node:process';
import { main } from '../src/cli.js';

process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
});
process.exitCode = await main(process.argv.slice(2), process.stdout, process.stderr);
