// A Lambda function for Node: each request puts one item with the SDK for JavaScript.

import http from "node:http";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";

const client = new DynamoDBClient({});
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const options = { host, port, method, path: `/2018-06-01/runtime/invocation/${path}`, agent };
    const request = http.request(options, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(parts) }));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

for (let count = 0; ; count++) {
  const { headers, body } = await call("GET", "next");
  JSON.parse(body);
  const item = { answer_id: { S: `node-${process.pid}-${count}` } };
  await client.send(new PutItemCommand({ TableName: process.env.ANSWERS_TABLE, Item: item }));
  const id = headers["lambda-runtime-aws-request-id"];
  await call("POST", `${id}/response`, JSON.stringify({ statusCode: 204 }));
}
