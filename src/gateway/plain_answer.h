// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// An answer that comes whole: read, judged, translated to the caller's dialect, and then handed on at once.
#pragma once

#include <string>

#include "gateway/model_attempt.h"
#include "net/http.h"
#include "net/task.h"

namespace fuseboard::gateway {

// Ends the attempt by it. The head is of no use afterwards. `begun` is what has been read of it.
net::Task<void> read_plain(ModelAttempt& attempt, net::ResponseHead& head, std::string begun = {});

}  // namespace fuseboard::gateway
