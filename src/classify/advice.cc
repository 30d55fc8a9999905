// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/classify/advice.h"

#include <array>

namespace fuseboard {
namespace {

using enum RecoverySuggestion;

struct SuggestionRow {
  std::string_view name;
  std::string_view text;
};

constexpr std::array<SuggestionRow, kSuggestionCount> kSuggestions = {{
    {"retry_later", "Wait as long as the hint says, or a few seconds that grow, and send the same again."},
    {"retry_now", "Send the same again; another draw may be fine."},
    {"use_another_target", "Use another model, provider or tool."},
    {"reduce_load", "Send fewer calls at once, or further apart."},
    {"shorten_input", "Drop or summarise part of the input, or ask for a shorter answer."},
    {"fix_request", "Read the message and change the arguments; the same again fails again."},
    {"check_name", "Check the name against the list of what there is."},
    {"check_credential", "Renew or replace the credential."},
    {"ask_for_access", "Ask for the missing right, or leave the action out."},
    {"add_credit", "Add credit, raise the limit, or wait for the window to reset."},
    {"rephrase", "Say it in another way, without what was refused."},
    {"ask_person", "Ask the person who set the rule; do not work around it."},
    {"finish_plan", "Finish the plan and have it approved before anything is changed."},
    {"free_resources", "Free memory, disk, descriptors or processes."},
    {"check_certificate", "Check the clock, the name and the chain of the certificate."},
    {"check_callee", "Look into the log of what was called; its answer does not say more."},
    {"stop", "Nothing is to be done: it was stopped on purpose."},
}};

constexpr RecoverySuggestion kWaitOrMove[] = {retry_later, use_another_target};
constexpr RecoverySuggestion kThrottled[] = {retry_later, reduce_load, use_another_target};
constexpr RecoverySuggestion kCredential[] = {check_credential, use_another_target};
constexpr RecoverySuggestion kAccess[] = {ask_for_access, use_another_target};
constexpr RecoverySuggestion kRequest[] = {fix_request};
constexpr RecoverySuggestion kName[] = {check_name};
constexpr RecoverySuggestion kModelName[] = {check_name, use_another_target};
constexpr RecoverySuggestion kTooLong[] = {shorten_input, use_another_target};
constexpr RecoverySuggestion kRefused[] = {rephrase, use_another_target};
constexpr RecoverySuggestion kOurRule[] = {ask_person};
constexpr RecoverySuggestion kPlanFirst[] = {finish_plan, ask_person};
constexpr RecoverySuggestion kCredit[] = {add_credit, use_another_target};
constexpr RecoverySuggestion kShortage[] = {free_resources, use_another_target};
constexpr RecoverySuggestion kStopped[] = {stop};
constexpr RecoverySuggestion kFailed[] = {check_callee, fix_request};
constexpr RecoverySuggestion kDrawAgain[] = {retry_now, use_another_target};
constexpr RecoverySuggestion kCapability[] = {use_another_target, fix_request};
constexpr RecoverySuggestion kTooLarge[] = {shorten_input, use_another_target};
constexpr RecoverySuggestion kCertificate[] = {check_certificate, use_another_target};
constexpr RecoverySuggestion kBroke[] = {check_callee, use_another_target};
constexpr RecoverySuggestion kConflict[] = {retry_later, fix_request};
constexpr RecoverySuggestion kOurs[] = {free_resources, reduce_load};

// In the order of the enumerators.
constexpr std::array<Advice, kCategoryCount> kByCategory = {{
    {"no connection", kWaitOrMove, false},
    {"timed out", kWaitOrMove, false},
    {"rate limit reached", kThrottled, false},
    {"service unavailable", kWaitOrMove, false},
    {"provider overloaded", kWaitOrMove, false},
    {"circuit open", kWaitOrMove, false},
    {"credential refused", kCredential, true},
    {"not permitted", kAccess, true},
    {"request is wrong", kRequest, false},
    {"tool does not exist", kName, false},
    {"not found", kName, false},
    {"model not available", kModelName, false},
    {"input too long", kTooLong, false},
    {"refused by the provider's safety system", kRefused, false},
    {"refused by a rule of ours", kOurRule, true},
    {"quota used up", kCredit, true},
    {"out of resources", kShortage, false},
    {"cancelled", kStopped, false},
    {"failed", kFailed, false},
}};

constexpr Advice kSandbox = {"refused by the sandbox", kOurRule, true};
constexpr Advice kPlanning = {"refused while planning", kPlanFirst, true};
constexpr Advice kGuardrail = {"refused by a guardrail", kRefused, false};
constexpr Advice kBudget = {"budget used up", kOurRule, true};

}  // namespace

std::string_view name(RecoverySuggestion suggestion) noexcept {
  return kSuggestions[static_cast<std::size_t>(suggestion)].name;
}
std::string_view text(RecoverySuggestion suggestion) noexcept {
  return kSuggestions[static_cast<std::size_t>(suggestion)].text;
}

Advice advice_for(Category category, Modifier modifier, PolicyDetail detail) noexcept {
  switch (detail) {
    case PolicyDetail::sandbox:
      return kSandbox;
    case PolicyDetail::planning:
      return kPlanning;
    case PolicyDetail::guardrail:
      return kGuardrail;
    case PolicyDetail::budget:
      return kBudget;
    case PolicyDetail::none:
      break;
  }
  switch (modifier) {
    case Modifier::request_exceeds_window:
      return {"request larger than the rate limit", kTooLarge, false};
    case Modifier::bad_model_output:
      return {"model wrote unusable output", kDrawAgain, false};
    case Modifier::callee_broke:
      return {"callee crashed", kBroke, false};
    case Modifier::capability_mismatch:
      return {"not supported by this model", kCapability, false};
    case Modifier::untrusted_certificate:
      return {"certificate not trusted", kCertificate, true};
    case Modifier::own_exhaustion:
      return {"our own process is out of resources", kOurs, true};
    case Modifier::conflict:
      return {"conflict with another call", kConflict, false};
    case Modifier::none:
      break;
  }
  return kByCategory[static_cast<std::size_t>(category)];
}

Advice advice_for(const Classification& judged) noexcept {
  if (!judged.failure) return {"no failure", kStopped, false};
  return advice_for(judged.failure->category, judged.modifier, judged.detail);
}

}  // namespace fuseboard
