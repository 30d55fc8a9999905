// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/stream_writer.h"

#include <utility>

#include "llm/codec.h"

namespace fuseboard::llm {

std::unique_ptr<StreamWriter> make_stream_writer(Dialect dialect, StreamOrigin origin) {
  return codec(dialect).make_stream_writer({.origin = std::move(origin)}, false);
}

std::unique_ptr<StreamWriter> make_recovery_writer(Dialect dialect, RecoveryPoint point) {
  return codec(dialect).make_stream_writer(std::move(point), true);
}

}  // namespace fuseboard::llm
