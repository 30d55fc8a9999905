// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Whom a refusal concerns [FBK-6]. Pure.
#pragma once

#include "fuseboard/core/outcome.h"

namespace fuseboard::gateway {

// The failure's own scope, given whether the request named an account of its caller's: what is held against that
// account concerns nobody else, and what is said of a header that the caller did not send concerns ours, and so the
// credential.
FailureScope scope_here(const Failure& failure, bool callers_account) noexcept;

}  // namespace fuseboard::gateway
