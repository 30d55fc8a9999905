// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/target.h"

#include <utility>

namespace fuseboard {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

}  // namespace

Problems AttemptTimeouts::validate() const {
  Validator validator;
  const auto check = [&](std::string_view field, Duration value) {
    validator.in_range(field, value, milliseconds(1), hours(24));
  };
  check("connect", connect);
  check("headers", headers);
  check("first_content", first_content);
  check("idle", idle);
  check("total", total);
  return std::move(validator).take();
}

}  // namespace fuseboard
