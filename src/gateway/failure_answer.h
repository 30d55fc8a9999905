// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the caller of a model is told when its call has ended without an answer: the most telling error, with whose
// limits stand where.
#pragma once

#include "gateway/error_response.h"
#include "gateway/relayed_call.h"

namespace fuseboard::gateway {

// Of a call that has ended in any way but success, interrupted or cancelled.
Answer failure_answer(const RelayedCall& relayed);

}  // namespace fuseboard::gateway
