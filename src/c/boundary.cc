// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "c/boundary.h"

#include <array>

#include "fuseboard/core/utf8.h"

namespace fuseboard::c_api {
namespace {

constexpr std::string_view kCut = "...";

std::array<char, FUSEBOARD_MAX_ERROR + 1>& last_error() noexcept {
  thread_local std::array<char, FUSEBOARD_MAX_ERROR + 1> text{};
  return text;
}

// The length, but at most `most`.
std::size_t bounded_length(const char* text, std::size_t most) noexcept {
  const void* const end = std::memchr(text, 0, most);
  return end == nullptr ? most : static_cast<std::size_t>(static_cast<const char*>(end) - text);
}

}  // namespace

fuseboard_status fail(fuseboard_status status, std::string_view text) noexcept {
  auto& kept = last_error();
  const bool fits = text.size() < kept.size();
  const std::string_view begun = fits ? text : cut_to_characters(text, kept.size() - 1 - kCut.size());
  auto end = std::copy(begun.begin(), begun.end(), kept.begin());
  if (!fits) end = std::copy(kCut.begin(), kCut.end(), end);
  *end = 0;
  return status;
}

void throw_invalid(std::string text) { throw StatusError{FUSEBOARD_INVALID_ARGUMENT, std::move(text)}; }

std::string_view required_name(const char* text, const char* name) {
  const std::size_t size = bounded_length(&required(text, name), FUSEBOARD_MAX_NAME + 1);
  if (size == 0 || size > FUSEBOARD_MAX_NAME) {
    throw_invalid(std::string(name) + ": allowed: 1 to " + std::to_string(FUSEBOARD_MAX_NAME) + " bytes");
  }
  return {text, size};
}

std::string_view optional_text(const char* text) noexcept {
  constexpr std::size_t kMax = 65'536;
  return text == nullptr ? std::string_view() : std::string_view(text, bounded_length(text, kMax));
}

}  // namespace fuseboard::c_api

const char* fuseboard_last_error() noexcept { return fuseboard::c_api::last_error().data(); }

const char* fuseboard_status_name(fuseboard_status status) noexcept {
  switch (status) {
    case FUSEBOARD_OK:
      return "ok";
    case FUSEBOARD_REJECTED:
      return "rejected";
    case FUSEBOARD_INVALID_ARGUMENT:
      return "invalid_argument";
    case FUSEBOARD_NOT_FOUND:
      return "not_found";
    case FUSEBOARD_OUT_OF_MEMORY:
      return "out_of_memory";
    case FUSEBOARD_INTERNAL_ERROR:
      return "internal_error";
    default:
      return "unknown";
  }
}

const char* fuseboard_version() noexcept { return FUSEBOARD_VERSION; }
