// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Why an attempt failed, in words that a person can act on: for errors, the log, the state and explanations. Never a
// credential, a path or a query. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "fuseboard/classify/transport.h"
#include "fuseboard/core/time.h"
#include "fuseboard/pipeline/plan.h"
#include "fuseboard/pipeline/record.h"
#include "gateway/redactor.h"
#include "net/client.h"
#include "net/http.h"

namespace fuseboard::gateway {

// No answer came: "connecting to https://api.example.com: Connection refused".
std::string cause_of(const net::TransportError& error, const net::Origin& origin);

// The target was silent, or too slow, for that long, rounded up to milliseconds: "no content within 1m". Only of
// faults that are a matter of time.
std::string cause_of_waiting(TransportFault fault, Duration waited);

// An upstream's words as others than its caller may read them [TEL-4]: one line of at most 200 characters, what is
// quoted and what may be a credential replaced by "…".
std::string careful_words(std::string_view words);

// What the upstream calls the request, by the header that it uses for that; empty: it does not say. Visible ASCII.
BoundedText<63> upstream_request_id(const net::Headers& headers, const Redactor& secrets);

// Of each target the last cause that the record tells: `provider "openai": the certificate of … has expired`, joined
// by "; ". Empty: none is told.
std::string causes(const CallRecord& record, const Plan& plan);

// One line on how a call went: `provider "openai": no answer within 30s (3 attempts in 90010 ms; the last, on
// openai/gpt, ended with timeout)`; without what is before the brackets where no cause is known.
std::string summary(const CallRecord& record, const Plan& plan);

}  // namespace fuseboard::gateway
