// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What to do about a failure: for a person who reads a log, and for an agent that must go on.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "fuseboard/classify/classifier.h"

namespace fuseboard {

// Stable identifiers, as the enumerators are written.
enum class RecoverySuggestion : std::uint8_t {
  retry_later,         // wait, as long as the hint says, then send the same again
  retry_now,           // send the same again; another draw may be fine
  use_another_target,  // another model, provider or tool
  reduce_load,         // fewer calls at once, or further apart
  shorten_input,       // drop or summarise part of the input, or ask for a shorter answer
  fix_request,         // the arguments are wrong: read the message and change them
  check_name,          // the name is wrong: list what there is
  check_credential,    // renew or replace the credential
  ask_for_access,      // the account or role lacks a right
  add_credit,          // billing, plan or quota
  rephrase,            // another wording of the same wish
  ask_person,          // approval, or a decision that is not the agent's
  finish_plan,         // leave the planning mode first
  free_resources,      // memory, disk, descriptors
  check_certificate,   // clock, name and chain of the certificate
  check_callee,        // its log says more than its answer
  stop,                // nothing is to be done: it was meant
};
inline constexpr std::size_t kSuggestionCount = 17;
std::string_view name(RecoverySuggestion suggestion) noexcept;
// One sentence, an instruction.
std::string_view text(RecoverySuggestion suggestion) noexcept;

struct Advice {
  std::string_view label{};                         // "rate limit reached": for people, in lower case
  std::span<const RecoverySuggestion> suggestions;  // the most useful first, at least one
  bool needs_person = false;                        // no agent can mend it by itself
};

// By category, and by the departures and details that change it. All texts are static.
Advice advice_for(const Classification& judged) noexcept;
Advice advice_for(Category category, Modifier modifier = Modifier::none,
                  PolicyDetail detail = PolicyDetail::none) noexcept;

}  // namespace fuseboard
