// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One content coding, by the library that knows it. Private to net.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "net/content_coding.h"

namespace fuseboard::net {

class ContentDecoder::Stage {
 public:
  struct Step {
    std::size_t written = 0;
  };

  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  virtual ~Stage() = default;

  // Decodes from the front of `in`, taking away what it has used, into `out`. nullopt: it is malformed. Either all of
  // `in` is used or `out` is full.
  virtual std::optional<Step> step(std::string_view& in, std::span<char> out) = 0;

  // Whether a body may end here.
  virtual bool at_end() const = 0;
};

std::unique_ptr<ContentDecoder::Stage> make_stage(ContentCoding coding);

}  // namespace fuseboard::net
