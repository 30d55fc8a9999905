// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a value that a call returned says of the call.
#pragma once

#include <expected>
#include <type_traits>

namespace fuseboard {

template <typename T>
inline constexpr bool kIsExpected = false;
template <typename T, typename E>
inline constexpr bool kIsExpected<std::expected<T, E>> = true;

// `Words` says in which terms: Words::of(x) makes a Words::Result of each x that says anything by itself,
// Words::success() and Words::failure() stand for what says nothing. A value that says nothing is a success, an error
// of a std::expected that says nothing, or that all is well, is a failure all the same.
template <typename Words, typename Value>
typename Words::Result said_by(const Value& value) {
  if constexpr (requires { Words::of(value); }) {
    return Words::of(value);
  } else if constexpr (kIsExpected<Value>) {
    if (value.has_value()) return Words::success();
    if constexpr (requires { Words::of(value.error()); }) {
      const typename Words::Result error = Words::of(value.error());
      if (!error.ok()) return error;
    }
    return Words::failure();
  } else {
    return Words::success();
  }
}

}  // namespace fuseboard
