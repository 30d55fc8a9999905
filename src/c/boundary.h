// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What every function of the C API does at the boundary: checks what comes in, lets no exception out, and keeps the
// text of the last error.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "fuseboard/c/fuseboard.h"
#include "fuseboard/core/validation.h"

namespace fuseboard::c_api {

// Keeps the text for fuseboard_last_error(), cut to its bound, and returns the status.
fuseboard_status fail(fuseboard_status status, std::string_view text) noexcept;

// What a function refuses before it does anything. Thrown to guarded().
struct StatusError {
  fuseboard_status status;
  std::string text;
};
[[noreturn]] void throw_invalid(std::string text);

// Runs `body`, which returns a status; what it throws becomes one.
template <typename Body>
fuseboard_status guarded(Body body) noexcept {
  try {
    return body();
  } catch (const StatusError& error) {
    return fail(error.status, error.text);
  } catch (const InvalidOptions& problems) {
    return fail(FUSEBOARD_INVALID_ARGUMENT, problems.what());
  } catch (const std::bad_alloc&) {
    return fail(FUSEBOARD_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return fail(FUSEBOARD_INTERNAL_ERROR, error.what());
  } catch (...) {
    return fail(FUSEBOARD_INTERNAL_ERROR, "an unknown exception");
  }
}

// The argument, which must not be null.
template <typename T>
T& required(T* argument, const char* name) {
  if (argument == nullptr) throw_invalid(std::string(name) + ": NULL is not allowed");
  return *argument;
}

// A name of 1 to FUSEBOARD_MAX_NAME bytes; not one byte beyond the bound is read.
std::string_view required_name(const char* text, const char* name);
// A text that may be missing, likewise bounded but for its end: what is beyond is not looked at.
std::string_view optional_text(const char* text) noexcept;

// One of the enumerators 0 to `last`.
template <typename Enum>
Enum enumerator(std::int32_t number, Enum last, const char* name) {
  if (number < 0 || number > static_cast<std::int32_t>(last)) {
    throw_invalid(std::string(name) + ": " + std::to_string(number) + " is not allowed; allowed: 0 to " +
                  std::to_string(static_cast<std::int32_t>(last)));
  }
  return static_cast<Enum>(number);
}

// Structs grow at their end only, and by members that begin where the struct ends today, its padding included: else an
// older caller's size could not be told from a newer one's.

// What the caller's struct says, on top of `defaults`: a caller that was compiled with a shorter one leaves the rest.
template <typename T>
T read(const T& given, T defaults) {
  if (given.struct_size < sizeof(std::size_t)) throw_invalid("struct_size: not set");
  std::memcpy(&defaults, &given, std::min(given.struct_size, sizeof(T)));
  return defaults;
}
// What a function is going to write, which may be null: looked at before anything happens, so that one that was not
// set up is found by the first call and not by the first that has something to tell.
template <typename T>
void check_out(const T* out) {
  if (out != nullptr && out->struct_size < sizeof(std::size_t)) throw_invalid("struct_size: not set");
}
// Fills as much of the caller's struct as it has.
template <typename T>
void write(T* out, T value) {
  if (out == nullptr) return;
  value.struct_size = out->struct_size;
  if (value.struct_size < sizeof(std::size_t)) throw_invalid("struct_size: not set");
  std::memcpy(out, &value, std::min(value.struct_size, sizeof(T)));
}

}  // namespace fuseboard::c_api
