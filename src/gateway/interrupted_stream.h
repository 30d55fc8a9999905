// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The end of an answer that broke off without recovery: said in the stream, which never says that it is done
// [STR-5].
#pragma once

#include <string_view>

#include "gateway/relayed_call.h"
#include "net/task.h"

namespace fuseboard::gateway {

// Of a call that ended as interrupted: in the upstream's own words where it said what broke its stream.
net::Task<void> end_interrupted(RelayedCall& relayed);
net::Task<void> end_stream_with(RelayedCall& relayed, std::string_view why);

}  // namespace fuseboard::gateway
