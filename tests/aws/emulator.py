"""Starts ministack, an emulated AWS account, with what it lacks for this project. Each patch says why.

The environment: GATEWAY_PORT, BIND_HOST, and LATCHKEY_LOG, the file that takes every line that a function prints.
"""

import contextvars
import os

import ministack.app as app
from ministack.core import lambda_runtime
from ministack.services import apigateway, lambda_svc

source = contextvars.ContextVar("source", default="127.0.0.1")


def patch_source_address():
    """The emulator calls every caller 127.0.0.1; the gateway names the address that the connection comes from."""
    inner = app.app

    async def outer(scope, receive, send):
        source.set((scope.get("client") or ("127.0.0.1",))[0])
        await inner(scope, receive, send)

    app.app = outer
    run = apigateway.run_reentrant

    async def run_with_source(execute, record, event, **options):
        http = event.get("requestContext", {}).get("http") if isinstance(event, dict) else None
        if http:
            http["sourceIp"] = source.get()
            http["method"] = http["method"].upper()
        return await run(execute, record, event, **options)

    apigateway.run_reentrant = run_with_source


def patch_preflights():
    """The emulator answers OPTIONS itself with 403 where an API has no CORS configuration; the gateway passes it on like
    any other method. In lower case the emulator does not know it; patch_source_address gives it back its name."""
    inner = apigateway._handle_execute_in_scope

    async def outer(api_id, stage, path, method, *rest, **options):
        api = apigateway._apis.get(api_id) or {}
        if method == "OPTIONS" and not api.get("corsConfiguration"):
            method = "options"
        return await inner(api_id, stage, path, method, *rest, **options)

    apigateway._handle_execute_in_scope = outer


def patch_failed_functions():
    """The emulator answers 502 with the error of a function that failed; an HTTP API says 500 and these words."""
    inner = lambda_svc.lambda_execute_result_to_api_proxy_response

    def outer(result):
        if result.get("error"):
            words = {"statusCode": 500, "headers": {"content-type": "application/json"}}
            return {**words, "body": '{"message":"Internal Server Error"}'}, None
        return inner(result)

    lambda_svc.lambda_execute_result_to_api_proxy_response = outer


def patch_partial_failures():
    """The emulator takes a stream batch with batchItemFailures for a success and drops it. Here it fails as a whole and is
    tried again, which AWS may do as well (delivery is at least once), until its oldest record is too old."""
    inner = lambda_svc._execute_function

    def outer(func, event, *rest, **options):
        result = inner(func, event, *rest, **options)
        records = event.get("Records") if isinstance(event, dict) else None
        body = result.get("body") if isinstance(result, dict) else None
        streamed = bool(records) and records[0].get("eventSource") == "aws:dynamodb"
        if streamed and isinstance(body, dict) and body.get("batchItemFailures"):
            failed = {"errorType": "ReportBatchItemFailures", "errorMessage": str(body)}
            return {"error": True, "body": failed, "log": result.get("log", "")}
        return result

    lambda_svc._execute_function = outer


def patch_logs():
    """The emulator hands over what a function printed when its invocation has ended; CloudWatch takes each line at once,
    and tests look at the lines of functions that are killed."""
    lines = open(os.environ["LATCHKEY_LOG"], "a", buffering=1, encoding="utf-8")
    inner = lambda_runtime.ProvidedWorker._pump_output

    class Copied:
        def __init__(self, stream, name):
            self.stream, self.name = stream, name

        def readline(self):
            line = self.stream.readline()
            if line:
                lines.write(f"[{self.name}] {line.decode('utf-8', 'replace').rstrip()}\n")
            return line

        def close(self):
            self.stream.close()

    def outer(self, stream, log_queue):
        inner(self, Copied(stream, self.func_name), log_queue)

    lambda_runtime.ProvidedWorker._pump_output = outer


if __name__ == "__main__":
    for patch in (patch_source_address, patch_preflights, patch_failed_functions, patch_partial_failures, patch_logs):
        patch()
    app.main()
