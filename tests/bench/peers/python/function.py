"""A Lambda function for Python: each request puts one item with boto3."""

import http.client
import json
import os

import boto3

client = boto3.client("dynamodb")
runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
table = os.environ["ANSWERS_TABLE"]


def call(method, path, body=None):
    runtime.request(method, f"/2018-06-01/runtime/invocation/{path}", body)
    response = runtime.getresponse()
    return response.headers, response.read()


count = 0
while True:
    headers, body = call("GET", "next")
    json.loads(body)
    client.put_item(TableName=table, Item={"answer_id": {"S": f"python-{os.getpid()}-{count}"}})
    call("POST", f"{headers['lambda-runtime-aws-request-id']}/response", json.dumps({"statusCode": 204}))
    count += 1
