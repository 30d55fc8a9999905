// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The writers behind stream_writer.h. Included by sources of this module alone.
#pragma once

#include <memory>

#include "llm/stream_writer.h"

namespace fuseboard::llm {

// `resumed`: the stream has begun already.
std::unique_ptr<StreamWriter> make_chat_writer(ResumePoint point, bool resumed);
std::unique_ptr<StreamWriter> make_messages_writer(ResumePoint point, bool resumed);

}  // namespace fuseboard::llm
