// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/splice.h"

#include <algorithm>

namespace fuseboard::gateway {
namespace {

// A continuation that repeats so many bytes of the answer's beginning is none: the target started again, as models do
// that take an assistant's last message for a finished one. Shorter repetitions happen in honest text.
constexpr std::size_t kRestartPrefix = 24;

std::size_t common_prefix(std::string_view a, std::string_view b) noexcept {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

}  // namespace

bool Splice::may_restart() const noexcept { return mode_ == Mode::restarts || delivered_.size() >= kRestartPrefix; }

bool Splice::take(std::string_view text, std::string& out) {
  if (joined_) {
    out += text;
    return true;
  }
  held_ += text;
  if (may_restart()) {
    const std::size_t same = common_prefix(held_, delivered_);
    if (same == delivered_.size()) {  // all of the first, once more
      out.append(held_, same);
      held_.clear();
      joined_ = true;
      return true;
    }
    if (same == held_.size()) return true;
    if (mode_ == Mode::restarts || same >= kRestartPrefix) return false;
  }
  // White space at the end of the prefill was left off: perhaps the second is still saying it.
  if (!unsaid().starts_with(held_)) release(out);
  return true;
}

bool Splice::end(std::string& out) {
  if (joined_) return true;
  if (mode_ == Mode::restarts) {
    joined_ = held_.size() == delivered_.size();
    return joined_;
  }
  if (held_.size() >= kRestartPrefix && may_restart()) return false;
  release(out);
  return true;
}

void Splice::release(std::string& out) {
  out.append(held_, common_prefix(held_, unsaid()));
  held_.clear();
  joined_ = true;
}

}  // namespace fuseboard::gateway
