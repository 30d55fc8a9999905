// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Usage that was asked for without the caller, and goes no further [BUD-10].
#pragma once

#include <string>

#include "net/sse.h"

namespace fuseboard::gateway {

// Appends an event of a chat completion's stream as it would be if nobody had asked for usage: nothing for the event
// that tells it, the others without the `"usage":null` that OpenAI then adds to them. Every other byte stays. Usage
// beside a choice is left alone: servers that tell it there do so unasked.
void append_without_usage(std::string& out, const net::SseEvent& event);

}  // namespace fuseboard::gateway
