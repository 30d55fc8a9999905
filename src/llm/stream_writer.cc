// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/stream_writer.h"

#include <utility>

#include "llm/dialect_writers.h"

namespace fuseboard::llm {

std::unique_ptr<StreamWriter> make_stream_writer(Dialect dialect, StreamOrigin origin) {
  ResumePoint start{.origin = std::move(origin)};
  return dialect == Dialect::openai ? make_chat_writer(std::move(start), false)
                                    : make_messages_writer(std::move(start), false);
}

std::unique_ptr<StreamWriter> resume_stream(Dialect dialect, ResumePoint point) {
  return dialect == Dialect::openai ? make_chat_writer(std::move(point), true)
                                    : make_messages_writer(std::move(point), true);
}

}  // namespace fuseboard::llm
