// Sign-ups with better-auth, users in memory, passwords hashed as Latchkey hashes them.

import http from "node:http";
import { hash, verify } from "@node-rs/argon2";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";

const cost = { memoryCost: 19456, timeCost: 2, parallelism: 1 };
const port = Number(process.env.PORT);
const auth = betterAuth({
  baseURL: `http://127.0.0.1:${port}`,
  secret: "a secret of the bench, of 32 bytes or more",
  database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
  emailAndPassword: {
    enabled: true,
    password: { hash: (password) => hash(password, cost), verify: ({ hash, password }) => verify(hash, password) },
  },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
});
http.createServer(toNodeHandler(auth)).listen(port, "127.0.0.1");
