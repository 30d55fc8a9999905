// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/whole_answer.h"

#include <utility>

namespace fuseboard::llm {

WholeAnswer::WholeAnswer(std::span<const Delta> deltas, StreamOrigin stands_in) : origin(std::move(stands_in)) {
  bool begun = false;
  bool finished = false;
  for (const Delta& delta : deltas) {
    switch (delta.kind) {
      case Delta::Kind::begin:
        if (std::exchange(begun, true)) break;
        if (!delta.id.empty()) origin.id = delta.id;
        if (!delta.model.empty()) origin.model = delta.model;
        break;
      case Delta::Kind::finish:
        if (std::exchange(finished, true)) break;
        reason = delta.reason;
        stop_sequence = delta.text;
        break;
      case Delta::Kind::usage:
        usage = delta.usage;
        break;
      default:
        refused = refused || (delta.kind == Delta::Kind::refusal && !delta.text.empty());
        blocks.add(delta);
        break;
    }
  }
}

}  // namespace fuseboard::llm
