#!/usr/bin/env bash
# Signs a user of Gotu up by phone, against the local stack:
#   cargo run -- --limits off exec -- tests/examples/shell/sign-up.sh
# It needs curl alone.
set -euo pipefail
api=${LATCHKEY_URL:?is absent: run this script with "cargo run -- --limits off exec -- SCRIPT"}
phone=+6282243350992

# Sends a JSON body, and prints the status and the body of the answer in one line.
send() {
  curl -sS -X "$1" "$api$2" -H 'content-type: application/json' -w ' %{http_code}\n' ${3:+-d "$3"} |
    sed -E 's/^(.*) ([0-9]{3})$/\2 \1/'
}

# Prints a field of a JSON answer whose value is a text without quotes in it.
field() { sed -nE "s/.*\"$1\":\"([^\"]*)\".*/\1/p"; }

# Checks that an answer begins with a text.
expect() {
  [[ $2 == "$1"* ]] || { echo "failed: $3: expected $1, got $2" >&2; exit 1; }
  echo "ok: $3"
}

ask() { send POST /otp "{\"identifier\":\"$phone\",\"otpType\":\"sign_up\"}"; }
sign_up() { send POST /users "{\"phoneNumber\":\"$phone\",\"otpCode\":\"$1\",\"userType\":\"HYG\"}"; }
# Prints the code of the only message; waits until it is there.
code() { curl -sS "$api/_local/messages?to=%2B${phone#+}&wait=10s" | field code; }
reset() { expect 204 "$(send DELETE /_local/state)" 'all data is deleted'; }

reset
expect 204 "$(ask)" 'a code was asked for'
code=$(code)
answer=$(sign_up "$code")
expect 200 "$answer" 'the code signs the user up'
refresh=$(field refreshToken <<<"$answer")
expect '401 {"error":"invalid or expired otp code"}' "$(sign_up "$code")" 'a code works once'
expect 200 "$(send POST /sessions/refresh "{\"refreshToken\":\"$refresh\"}")" 'the session is refreshed'

reset
expect 204 "$(ask)" 'a code was asked for'
code=$(code)
expect 200 "$(send POST /_local/clock '{"advance":"6m"}')" 'six minutes later'
expect 401 "$(sign_up "$code")" 'the code has ended'

reset
expect 204 "$(send POST /_local/faults '{"service":"sns","mode":"throttle"}')" 'the next text will be throttled'
expect 204 "$(ask)" 'a code was asked for'
code=$(code)
expect 'sns throttle' "$(curl -sS "$api/_local/requests?limit=1" | field fault)" 'the text was throttled'
expect 200 "$(sign_up "$code")" 'the code arrived later and works'
