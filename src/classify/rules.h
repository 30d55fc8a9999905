// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The rules as data. Every row names its source; a new provider is a new row in one of the tables, not new code:
// status_, code_, phrase_, typed_, number_, latin_ and script_rules.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "classify/conclusion.h"
#include "classify/words.h"

namespace fuseboard::classify_internal {

// HTTP statuses.
struct StatusRow {
  int status;
  Conclusion conclusion;
  std::string_view source;
};
// Never nullptr: statuses without a row of their own share one with their hundred.
const StatusRow& status_row(int status) noexcept;

// Codes: values of error.code, error.type, error.status, reason and the like; names of exception classes. Compared
// without case and punctuation, without a namespace before them and without "error" or "exception" at their end.
enum class Weight : std::uint8_t {
  decides,  // whatever the status
  // Says no more than a status does: the class where there is none, nothing otherwise.
  as_status,
  exception,  // the same, and only as the name of an exception
};
struct CodeRow {
  std::string_view code;
  Weight weight;
  Conclusion conclusion;
  std::string_view source;
};
const CodeRow* code_row(std::string_view code) noexcept;
// What the words of a code say that no row names: "org_quota_exceeded". nullptr where they say nothing.
const CodeRow* family_row(std::string_view code) noexcept;

// Phrases, the more telling ones first: of all that match, the first row decides.
enum class Use : std::uint8_t {
  both,
  in_class,  // only where a class is known already and is among `within`
  free,      // only where nothing else is known
};
struct PhraseRow {
  std::string_view text;  // see Pattern
  CategorySet within;
  Conclusion conclusion;
  std::string_view source;
  Use use = Use::both;
};
// The first row that matches anywhere in the text; nullptr without one. `known`: the class so far. English goes first,
// then the other languages in Latin letters, then those that are not.
const PhraseRow* phrase_row(const Words& words, std::optional<Category> known) noexcept;
const PhraseRow* english_row(const Words& words, std::optional<Category> known) noexcept;
const PhraseRow* latin_row(const Words& words, std::optional<Category> known) noexcept;
const PhraseRow* script_row(const Words& words, std::optional<Category> known) noexcept;

// Typed codes as callers give them, "curl:28", and names of errors that are typed even inside a text, "ECONNRESET".
struct TypedRow {
  std::string_view code;
  Conclusion conclusion;
  std::string_view source;
};
const TypedRow* typed_row(std::string_view code) noexcept;
const TypedRow* errno_row(std::string_view name) noexcept;
const TypedRow* curl_row(int code) noexcept;

// gRPC statuses and JSON-RPC codes.
struct NumberRow {
  int number;
  bool weak;  // the text may refine it
  Conclusion conclusion;
  std::string_view source;
};
const NumberRow* grpc_row(int status) noexcept;
const NumberRow* json_rpc_row(int code) noexcept;
const NumberRow* exit_row(int code) noexcept;
const NumberRow* minimax_row(int code) noexcept;
const NumberRow* baidu_row(int code) noexcept;
const NumberRow* apple_row(int code) noexcept;

struct SignalRow {
  int number;
  std::string_view name;
  Conclusion conclusion;
  std::string_view source;
};
const SignalRow* signal_row(std::string_view name) noexcept;
const SignalRow* signal_row(int number) noexcept;

// Why an answer ended, where that is a failure.
struct FinishRow {
  std::string_view reason;  // compared as codes are
  Conclusion conclusion;
  std::string_view source;
};
const FinishRow* finish_row(std::string_view reason) noexcept;

}  // namespace fuseboard::classify_internal
