// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// An answer that its provider's safety system withheld before any content.
#pragma once

#include <string>

#include "gateway/model_attempt.h"
#include "llm/answer.h"
#include "net/http.h"

namespace fuseboard::gateway {

// Ends the attempt. `head` and `body` are as the caller gets them where nobody answers.
void end_filtered(ModelAttempt& attempt, net::ResponseHead head, std::string body, const llm::Usage& usage,
                  const llm::SeenOutput& seen);

}  // namespace fuseboard::gateway
