#!/usr/bin/env node
// Runs the program of the platform's own package, which npm chose by `os` and `cpu`.
"use strict";

const { spawn } = require("node:child_process");

const platform = `@sidsweep/${process.platform}-${process.arch}`;
const file = process.platform === "win32" ? "sidsweep.exe" : "sidsweep";
let program;
try {
  program = require.resolve(`${platform}/bin/${file}`);
} catch {
  console.error(
    `sidsweep: the package ${platform} is not installed. Either there is no program for this platform, or optional ` +
      "packages were left out: install again without --omit=optional.",
  );
  process.exit(2);
}

const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
// The program is told by the terminal itself, or by us, and decides how to end: this process only waits for it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (signal !== "SIGINT") child.kill(signal);
  });
}
child.on("error", (error) => {
  console.error(`sidsweep: ${program}: ${error.message}`);
  process.exit(2);
});
child.on("exit", (code, signal) => {
  if (signal) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  } else {
    process.exit(code);
  }
});
