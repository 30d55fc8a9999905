// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Joins the text of a second answer to what the caller has of the first: a part of stream_recovery.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fuseboard::gateway {

// Holds text back until it is clear how it fits. Memory: the length of what was delivered.
class Splice {
 public:
  enum class Mode : std::uint8_t {
    continues,  // the second was given the first as its beginning
    restarts,   // the second is a fresh answer: of use only if it begins with all of the first
  };

  // `delivered` must outlive the splice. Of it, the last `unsaid` bytes, white space all, were not given to the second:
  // it may say them once more.
  Splice(Mode mode, std::string_view delivered, std::size_t unsaid = 0)
      : mode_(mode), delivered_(delivered), unsaid_(unsaid) {}

  Mode mode() const noexcept { return mode_; }

  // Takes the next text of the second and appends to `out` what is new to the caller. False: the two do not fit, and
  // nothing of the second may be used.
  [[nodiscard]] bool take(std::string_view text, std::string& out);
  // The same where the second says something else than text, or is over.
  [[nodiscard]] bool end(std::string& out);

 private:
  bool may_restart() const noexcept;
  std::string_view unsaid() const noexcept { return delivered_.substr(delivered_.size() - unsaid_); }
  void release(std::string& out);

  const Mode mode_;
  const std::string_view delivered_;
  const std::size_t unsaid_;
  std::string held_;
  bool joined_ = false;
};

}  // namespace fuseboard::gateway
